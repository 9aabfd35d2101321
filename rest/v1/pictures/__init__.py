"""The nouns about pictures: sending them, their states and names, and the pictures themselves."""
