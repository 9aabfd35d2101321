"""The commands of `facefleet`, one a file."""
