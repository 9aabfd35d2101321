"""The HTTP server: takes pictures, answers matches."""
