"""The people in the pictures, whose face is whose, and what users state about them."""
