"""From a picture's bytes to upright RGB pixels."""
