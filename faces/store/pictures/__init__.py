"""One picture's way through Redis, from its acceptance by way of *the* transaction to its erasure."""
