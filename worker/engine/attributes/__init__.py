"""Optional attributes of a face: age, gender, 68 landmarks."""
