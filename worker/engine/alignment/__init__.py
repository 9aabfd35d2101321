"""From a box to an upright chip: landmarks, and the cut."""
