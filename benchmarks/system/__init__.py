"""A whole system to measure, and what breaks it: its network, its nodes, its connections."""
