"""Whether a whole HTTP/1.1 request has come, told from its bytes as they arrive (RFC 9112, sections 2, 6 and 7).

Only lengths are read here: gunicorn parses the same bytes again and refuses what is wrong with them. So whatever
cannot be understood counts as complete, and is handed over to be refused.
"""

from __future__ import annotations

LONGEST_HEAD = 64 << 10  # bytes; gunicorn's own limits are for lines
LONGEST_CHUNK_LINE = 1024  # bytes of a chunk's size with its extensions
HEX = frozenset(b"0123456789abcdefABCDEF")
CRLF = b"\r\n"
END_OF_HEAD = b"\r\n\r\n"


class Framing:
    """Follows one request. `feed` it what comes; what comes after the request is left to the next one.

    Attributes:
        complete: everything has come, or what came cannot be understood.
        head_complete: the head has come.
        length: bytes of the body, as far as its sender says.
        expects_continue: the sender waits for `100 Continue` before it sends the body.
    """

    def __init__(self) -> None:
        self.complete = False
        self.head_complete = False
        self.length = 0
        self.expects_continue = False
        self._chunked = False
        self._unread = bytearray()  # the head so far, then what of a chunk's line has come
        self._left = 0  # bytes of the body, or of a chunk and the CRLF behind it, still to come
        self._trailer = False

    def feed(self, data: bytes) -> None:
        """Take what has come."""
        if not self.head_complete:
            data = self._feed_head(data)
        if self.complete or not self.head_complete:
            return
        if self._chunked:
            self._feed_chunks(data)
        else:
            self._left -= len(data)
            self.complete = self._left <= 0

    def _feed_head(self, data: bytes) -> bytes:
        """Take more of the head; give what is behind its end."""
        searched = max(0, len(self._unread) - len(END_OF_HEAD) + 1)
        self._unread += data
        end = self._unread.find(END_OF_HEAD, searched)
        if end < 0:
            self.complete = len(self._unread) > LONGEST_HEAD
            return b""
        head, rest = bytes(self._unread[:end]), bytes(self._unread[end + len(END_OF_HEAD) :])
        self._unread.clear()
        self.head_complete = True
        self._read_head(head)
        return rest

    def _read_head(self, head: bytes) -> None:
        for line in head.split(CRLF)[1:]:
            raw_name, _, raw_value = line.partition(b":")
            name, value = raw_name.lower(), raw_value.strip()
            if name == b"content-length":
                if not value.isdigit() or len(value) > 18:
                    self.complete = True
                    return
                self.length = self._left = int(value)
            elif name == b"transfer-encoding":
                self._chunked = True
            elif name == b"expect":
                self.expects_continue = value.lower() == b"100-continue"
        if self._chunked:  # whatever else the head says
            self.length = self._left = 0

    def _feed_chunks(self, data: bytes) -> None:
        self.length += len(data)
        while not self.complete:
            if self._left >= len(data):
                self._left -= len(data)
                return
            self._unread += data[self._left :]
            self._left = 0
            line, found, rest = self._unread.partition(CRLF)
            if not found:
                self.complete = len(line) > LONGEST_CHUNK_LINE
                return
            data = bytes(rest)
            self._unread.clear()
            self._read_line(bytes(line))

    def _read_line(self, line: bytes) -> None:
        """Read the line before a chunk, or one of the trailer, which an empty one ends."""
        if self._trailer:
            self.complete = not line
            return
        size = line.partition(b";")[0].strip()
        if not size or not set(size) <= HEX:
            self.complete = True
            return
        self._left = int(size, 16)
        self._trailer = not self._left
        self._left += len(CRLF) * bool(self._left)
