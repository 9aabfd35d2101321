"""The worker: takes pictures from the queue, finds and compares faces, commits."""
