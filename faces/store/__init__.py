"""The four Redis databases and ours: schema in `keys`, the transaction in `commit`."""
