"""What the server, the client and other doors do: each sequence once."""
