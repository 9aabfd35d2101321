"""A whole system to measure, and what breaks it: its network, nodes, connections, and an engine that fails."""
