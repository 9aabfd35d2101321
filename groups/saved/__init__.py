"""The saved state in Redis: written with every step in one transaction, read at start.

Computed groups are in db 7, statements in db 0 (`faces.store.keys`). The journal position is written together with
the groups, so a process that was killed resumes exactly where it was.
"""
