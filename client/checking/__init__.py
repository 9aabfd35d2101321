"""Holding the databases to their rules, against brute force."""
