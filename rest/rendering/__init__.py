"""Pictures as people look at them: drawn, and kept for as long as there is room."""
