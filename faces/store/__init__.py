"""The four Redis databases and ours: the schema in `keys`, the transaction in `pictures.commit`."""
