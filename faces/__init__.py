"""What the server, the workers and the client must agree on."""
