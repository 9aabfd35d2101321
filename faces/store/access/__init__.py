"""API keys, the sessions that stand for them, and the log of what was done with them."""
