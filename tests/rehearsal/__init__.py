"""What operators do to a replicated fleet, done for real: see `python -m tests.rehearsal`."""
