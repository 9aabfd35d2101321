"""A watched folder: which files are complete, what was sent, and what happens to a file afterwards."""
