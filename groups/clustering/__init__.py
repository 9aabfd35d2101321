"""Faces become groups: the merge rule, the search for near groups, and which face is in which group."""
