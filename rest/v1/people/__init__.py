"""The nouns about people: who is in the pictures, what users say about them, and why."""
