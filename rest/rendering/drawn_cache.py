"""Thumbnails and crops that were drawn already: each is made once, for as long as there is room.

They are in memory alone, so that nothing of an erased picture is left on a disk; on its `erased` event they go.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack

from rest.events.follower import Batch, Follower

ROOM = 64 << 20  # bytes: some thousand thumbnails of 320 pixels
LARGEST = 256 << 10  # bytes; what is larger is drawn anew each time


class DrawnCache:
    """The pictures drawn last, by the picture they show and their version. Threads may share it."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()  # least recently used first
        self._bytes = 0
        self._lock = threading.Lock()
        self._subscription = ExitStack()

    def start(self, follower: Follower) -> DrawnCache:
        """Forget erased pictures from now on."""
        self._subscription.enter_context(follower.subscribed(self._look))
        return self

    def close(self) -> None:
        """Stop following."""
        self._subscription.close()

    def get(self, picture_id: str, version: str, draw: Callable[[], bytes]) -> bytes:
        """What was drawn of a picture in a version, or what `draw` draws now."""
        key = (picture_id, version)
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return found
        drawn = draw()  # by several threads at once, if they ask at once: the result is the same
        if len(drawn) <= LARGEST:
            self._keep(key, drawn)
        return drawn

    def forget(self, picture_id: str) -> None:
        """Forget everything that was drawn of a picture."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == picture_id]:
                self._bytes -= len(self._kept.pop(key))

    def _keep(self, key: tuple[str, str], drawn: bytes) -> None:
        with self._lock:
            self._bytes += len(drawn) - len(self._kept.pop(key, b""))
            self._kept[key] = drawn
            while self._bytes > self._room:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest)

    def _look(self, batch: Batch) -> None:
        for document in batch.documents:
            if document["kind"] == "erased":
                self.forget(str(document["hash"]))
