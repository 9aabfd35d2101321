"""The nouns about videos: sending them, and who is seen in one from when to when."""
