"""Plans and outcomes as text and HTML."""
