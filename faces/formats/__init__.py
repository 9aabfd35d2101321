"""Picture formats: what is accepted, and what a header says before a pixel is decoded."""
