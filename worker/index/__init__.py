"""All known faces in memory, and the matching rule."""

from worker.index.index import Index

__all__ = ["Index"]
