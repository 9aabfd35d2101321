"""What people state about groups and faces, and what that demands of the groups."""
