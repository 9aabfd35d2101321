"""Commands that print measured figures as ratios against a named peer."""
