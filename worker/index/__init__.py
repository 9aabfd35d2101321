"""All known faces in memory, and the matching rule."""

from worker.index.index import Index, Neighbour

__all__ = ["Index", "Neighbour"]
