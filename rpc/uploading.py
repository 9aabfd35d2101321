"""Pictures that come in pieces: each goes into the picture's storage as it comes, and no thread waits for one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from rest.problems import ProblemError
from rest.v1.uploads import Spool

AT_ONCE = 32
"""Uploads that are read at once: each may have one message, of up to `LARGEST_MESSAGE`, in memory. Others wait."""

LARGEST_MESSAGE = 16 << 20  # bytes; a whole picture that fits into RabbitMQ may come in one


class Uploads:
    """Receives pictures of at most so many bytes, each within so many seconds."""

    def __init__(self, largest: int, seconds: float) -> None:
        self._largest = largest
        self._seconds = seconds
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def receive(self, pieces: AsyncIterator[bytes]) -> Spool:
        """Receive a picture to its end; the caller closes what it is given.

        Raises:
            PictureError: `too_large`.
            ProblemError: `request_timeout`.
        """
        spool = Spool(self._largest)
        try:
            async with self._turns, asyncio.timeout(self._seconds):
                async for piece in pieces:
                    spool.write(piece)
        except TimeoutError as error:
            spool.close()
            detail = f"the picture did not arrive within {self._seconds:g} s: send it faster"
            raise ProblemError("request_timeout", detail) from error
        except BaseException:
            spool.close()
            raise
        return spool
