"""Plots for records: SVG inside the page, with their figures in words for who cannot see them."""
