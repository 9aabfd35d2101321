"""What people say and ask about groups, and what they are told."""
