"""How long a request may occupy a thread, however slowly bytes drip in or out."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import BadRequest, RequestTimeout

LATE = "the request did not arrive in time: send it faster, or make the picture smaller"
SLOWEST = 256 << 10  # bytes a second that a large request must arrive with, in addition to the usual time


class RequestDeadline:
    """The time of one request in a thread. A socket's own time-out starts anew with each byte; this one does not.

    `seconds` after its beginning no more is read; `whole` seconds after it the connection ends. Both wait longer
    for a request that is large and comes in fast enough.
    """

    def __init__(self, connection: socket.socket, seconds: float, whole: float) -> None:
        self.late = False
        self.begun = False  # its head has come, and the application is at work
        self._connection = connection
        self._end_of_reading = time.monotonic() + seconds
        self._end = time.monotonic() + whole

    def look(self, now: float) -> None:
        """End what is due at a monotonic time. A thread that reads sees the end of the stream, and may answer."""
        if now > self._end_of_reading:
            self.late = True
            self._shut(socket.SHUT_RD)
        if now > self._end:
            self._shut(socket.SHUT_RDWR)

    def extend(self, received: int) -> None:
        """Allow for bytes that have arrived."""
        self._end_of_reading += received / SLOWEST
        self._end += received / SLOWEST

    def _shut(self, how: int) -> None:
        with suppress(OSError):  # the other side may have closed it already
            self._connection.shutdown(how)


class TimedReader:
    """gunicorn's reader of a body, with errors that can be answered."""

    def __init__(self, reader: Any, deadline: RequestDeadline) -> None:
        self._reader = reader
        self._deadline = deadline

    def read(self, size: int) -> bytes:
        """Read at most `size` bytes.

        Raises:
            RequestTimeout: the body did not come in time.
            BadRequest: it is cut short, or its chunks are invalid.
        """
        try:
            data: bytes = self._reader.read(size)
        except NoMoreData as error:
            if self._deadline.late:
                raise RequestTimeout(LATE) from error
            raise BadRequest("the body is cut short") from error
        except ParseException as error:
            raise BadRequest("the body's chunked encoding is not valid") from error
        if self._deadline.late and size:
            raise RequestTimeout(LATE)
        self._deadline.extend(len(data))
        return data
