"""What else can be said of a face: age, gender, 68 landmarks."""
