"""Events for those who watch, each at its own pace: who does not read delays nobody, and nothing is kept for them.

Whoever keeps up is given each batch as it comes, made once for all; whoever does not reads on in Redis.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from faces.store.client import RedisClient
from faces.store.events import stream
from faces.usecases.event_details import Document, detailed
from rest.events.follower import Batch, Follower
from rest.events.selection import Selection
from rest.problems import ProblemError
from rpc import facefleet_pb2 as pb
from rpc.call import Call
from rpc.translation import told

MAX_WATCHERS = 1000  # watchers
PULSE = 15.0  # seconds; proxies give up a connection on which nothing comes for a minute or so
PAGE = 500  # events read at once for those who are behind
CATCHING_UP = 2  # watchers whose pages are read at once

Prepared = Sequence[tuple[Document, pb.WatchReply]]


@dataclass(frozen=True, slots=True)
class _Page:
    """Events that follow `after`, and how to go on; `lost`: some before them are gone."""

    after: str
    last: str
    replies: Prepared
    lost: bool = False


class Watching:
    """Serves watchers on the loop that it is made on."""

    def __init__(self, redis: RedisClient, follower: Follower) -> None:
        self._redis = redis
        self._follower = follower
        self._loop = asyncio.get_running_loop()
        self._latest: _Page | None = (
            None  # the last batch; None: there was none, or what it follows is unclear
        )
        self._news = asyncio.Event()
        self._reading = asyncio.Semaphore(CATCHING_UP)
        self._count = 0
        self._closed = False
        self._subscription = ExitStack()
        self._subscription.enter_context(follower.subscribed(self._receive))

    def close(self) -> None:
        """Have all watchers leave."""
        self._closed = True
        self._news.set()
        self._subscription.close()

    async def replies(self, after: str, wanted: Selection, call: Call) -> AsyncGenerator[pb.WatchReply]:
        """What a watcher is sent, from the event after an id on; empty: from now on.

        Raises:
            ProblemError: `busy`; `bad_request` for what is no id; `unavailable` once the server stops.
            StoreError: Redis is unavailable.
        """
        position = after or self._follower.position
        try:
            stream.order(position)
        except ValueError as error:
            raise ProblemError("bad_request", f"after: {error}") from error
        if self._count >= MAX_WATCHERS:
            raise ProblemError("busy", f"{MAX_WATCHERS} watchers are connected, the most allowed at once")
        self._count += 1
        try:
            yield pb.WatchReply(id=position)
            while True:
                news = self._news
                page = await self._page(position, call)
                if page.lost:
                    yield pb.WatchReply(id=page.after, gap=pb.Gap(after=position))
                for document, reply in page.replies:
                    if wanted.admits(document):
                        yield reply
                position = page.last
                if not page.replies and not await self._any(news):
                    yield pb.WatchReply(id=position)
        finally:
            self._count -= 1

    async def _any(self, news: asyncio.Event) -> bool:
        """Wait for the next batch; False where none came within `PULSE` seconds."""
        try:
            async with asyncio.timeout(PULSE):
                await news.wait()
        except TimeoutError:
            return False
        if self._closed:
            raise ProblemError("unavailable", "the server is stopping: watch again, after the last id")
        return True

    async def _page(self, position: str, call: Call) -> _Page:
        """What follows a position: the last batch where that is it, else what Redis has."""
        latest = self._latest
        if latest is not None and latest.after == position:
            return latest
        if latest is not None and latest.last == position:
            return _Page(position, position, ())
        async with self._reading:
            return await call.ask(partial(self._read, position))

    def _read(self, position: str) -> _Page:
        start, lost = stream.resume(self._redis, position)
        found = _prepared(detailed(self._redis, stream.read(self._redis, start, PAGE)))
        return _Page(start, found[-1][1].id if found else start, found, lost)

    def _receive(self, batch: Batch) -> None:
        """Take a batch, on the follower's thread."""
        page = None if batch.gap else _Page(batch.after, batch.last, _prepared(batch.documents))
        self._loop.call_soon_threadsafe(self._hand_out, page)

    def _hand_out(self, page: _Page | None) -> None:
        self._latest = page
        self._news.set()
        if not self._closed:
            self._news = asyncio.Event()


def _prepared(documents: Sequence[Document]) -> Prepared:
    return [
        (document, pb.WatchReply(id=document["id"], event=told(document, pb.Event))) for document in documents
    ]
