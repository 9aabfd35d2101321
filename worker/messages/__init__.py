"""What happens to a message, from its delivery to its acknowledgement."""
