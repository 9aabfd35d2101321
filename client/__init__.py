"""What a person at a terminal runs."""
