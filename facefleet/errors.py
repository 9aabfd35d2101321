"""What a request may end with.

FacefleetClientError
├── AuthenticationError     the server requires a valid API key
├── RefusedError            the server rejected the request; `code` is stable, for programs
└── UnavailableError        the server is unavailable or busy; try again after `wait` seconds
"""

from __future__ import annotations


class FacefleetClientError(Exception):
    """Every error of this package. `str(error)` is a sentence for people."""


class AuthenticationError(FacefleetClientError):
    """The server requires a valid API key."""


class RefusedError(FacefleetClientError):
    """The server rejected the request.

    Attributes:
        code: a stable word for programs; docs/api.md lists them.
        status: the HTTP status; 0 where the request could not be made.
    """

    def __init__(self, message: str, *, code: str = "refused", status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class UnavailableError(FacefleetClientError):
    """The server is unavailable or busy; try again after `wait` seconds."""

    def __init__(self, message: str, *, wait: float = 1.0) -> None:
        super().__init__(message)
        self.wait = wait
