"""All pictures' faces and matches as a whole: their journal, their version, their counts, and making them anew."""
