"""What becomes of pictures and people, and who wants to hear of it."""
