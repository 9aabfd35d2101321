"""The Python client: `from facefleet import Client`."""

from facefleet.client import Client
from facefleet.errors import AuthenticationError, FacefleetClientError, RefusedError, UnavailableError
from facefleet.models import Box, Comparison, Event, Face, Image, Match, Pair, Sent, Stats
from facefleet.people_models import FaceId, Person, PersonFace, Statement, Suggestion

__all__ = [
    "AuthenticationError",
    "Box",
    "Client",
    "Comparison",
    "Event",
    "Face",
    "FaceId",
    "FacefleetClientError",
    "Image",
    "Match",
    "Pair",
    "Person",
    "PersonFace",
    "RefusedError",
    "Sent",
    "Statement",
    "Stats",
    "Suggestion",
    "UnavailableError",
]
