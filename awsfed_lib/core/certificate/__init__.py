"""The signing certificate, and its rollover in all accounts."""
