"""Checks that the saved groups are complete and consistent, and comply with every statement and the rule."""
