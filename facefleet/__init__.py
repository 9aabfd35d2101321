"""The Python client: `from facefleet import Client`."""

from facefleet.client import Client
from facefleet.errors import AuthenticationError, FacefleetClientError, RefusedError, UnavailableError
from facefleet.models import Box, Comparison, Event, Face, Image, Match, Pair, Sent, Stats

__all__ = [
    "AuthenticationError",
    "Box",
    "Client",
    "Comparison",
    "Event",
    "Face",
    "FacefleetClientError",
    "Image",
    "Match",
    "Pair",
    "RefusedError",
    "Sent",
    "Stats",
    "UnavailableError",
]
