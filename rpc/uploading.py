"""Pictures that come in pieces: each goes into the picture's storage as it comes, and no thread waits for one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Protocol, TypeVar

from rest.problems import ProblemError
from rest.v1.pictures.uploads import Spool

LARGEST_MESSAGE = 16 << 20  # bytes; a whole picture that fits into RabbitMQ may come in one

AT_ONCE = 48
"""Uploads that are read at once: each may have one message, of up to `LARGEST_MESSAGE`, in memory. Others wait."""


class Piece(Protocol):
    """A message with a piece of a picture."""

    @property
    def chunk(self) -> bytes:
        """The piece."""
        ...


Request = TypeVar("Request", bound=Piece)


class Uploads:
    """Receives pictures of at most so many bytes, each within so many seconds."""

    def __init__(self, largest: int, seconds: float) -> None:
        self._largest = largest
        self._seconds = seconds
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def receive(self, requests: AsyncIterator[Request]) -> tuple[Request, Spool]:
        """Receive a picture to its end; gives the first message too. The caller closes the picture.

        Raises:
            PictureError: `too_large`.
            ProblemError: `request_timeout`; `bad_request`: there is no message.
        """
        spool = Spool(self._largest)
        try:
            async with self._turns, asyncio.timeout(self._seconds):
                first = await only(requests)
                spool.write(first.chunk)
                async for request in requests:
                    spool.write(request.chunk)
        except BaseException as error:
            spool.close()
            if not isinstance(error, TimeoutError):
                raise
            detail = f"the picture did not arrive within {self._seconds:g} s: send it faster"
            raise ProblemError("request_timeout", detail) from error
        return first, spool


async def only(requests: AsyncIterator[Any]) -> Any:
    """The first message of a call.

    Raises:
        ProblemError: `bad_request`: there is none.
    """
    async for request in requests:
        return request
    raise ProblemError("bad_request", "the call ended before its message: send one")
