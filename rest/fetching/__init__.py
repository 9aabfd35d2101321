"""Fetching a URL that a stranger names, from public addresses only."""
