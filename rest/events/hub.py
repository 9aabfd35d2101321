"""All who listen to events on this server, on one thread: a listener costs a socket, and no request thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.events import stream
from faces.usecases.event_details import Document, detailed
from rest.events.follower import Batch, Follower
from rest.events.listener import Incoming, Listener

T = TypeVar("T")

MAX_LISTENERS = 1000  # listeners
UNREAD = 1 << 20  # bytes that may wait for a listener that does not read, beside what the kernel holds
PULSE = 15.0  # seconds; proxies give up a connection on which nothing comes for a minute or so
PAGE = 500  # events read at once for those who catch up
CATCHING_UP = 2  # listeners whose pages are read at once
DRAINING = 30.0  # seconds for a page to be taken


@dataclass(eq=False, slots=True)
class _Listening:
    """A connection, and up to where it has been sent the stream."""

    listener: Listener
    position: str
    writer: asyncio.StreamWriter
    live: bool = field(default=False)


class Hub:
    """Sends events to listeners. Threads may share it."""

    def __init__(self, redis: RedisClient, follower: Follower) -> None:
        self._redis = redis
        self._follower = follower
        self._loop = asyncio.new_event_loop()
        self._reading = ThreadPoolExecutor(CATCHING_UP, "events' pages")
        self._listening: set[_Listening] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0  # threads may count it past each other; it need not be exact
        self._thread = threading.Thread(target=self._run, name="listeners", daemon=True)

    def start(self) -> Hub:
        """Start serving listeners."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Drop all listeners."""
        if self._loop.is_running():
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    @property
    def full(self) -> bool:
        """Whether there are as many listeners as may be."""
        return self._count >= MAX_LISTENERS

    def take(
        self, connection: socket.socket, head: bytes, listener: Listener, incoming: Incoming, after: str
    ) -> None:
        """Serve a connection from now on: send `head`, then the events after an id."""
        connection.setblocking(False)
        self._count += 1

        def begin() -> None:
            task = self._loop.create_task(self._serve(connection, head, listener, incoming, after))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        self._loop.call_soon_threadsafe(begin)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        with self._follower.subscribed(self._receive):
            pulse = self._loop.create_task(self._keep_alive())
            self._loop.run_forever()
            for task in (pulse, *self._tasks):
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(pulse, *self._tasks, return_exceptions=True))
        self._loop.close()
        self._reading.shutdown(wait=False)

    def _receive(self, batch: Batch) -> None:
        self._loop.call_soon_threadsafe(self._send_batch, batch)

    async def _serve(
        self, connection: socket.socket, head: bytes, listener: Listener, incoming: Incoming, after: str
    ) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        listening = _Listening(listener, after, writer)
        self._listening.add(listening)
        try:
            writer.write(head)
            catching_up = asyncio.create_task(self._catch_up(listening))
            while not incoming.ended:
                writer.write(incoming.receive(await reader.read(4096)))
            catching_up.cancel()
        except OSError:
            pass  # the listener has gone
        finally:
            self._listening.discard(listening)
            self._count -= 1
            with suppress(OSError):
                writer.close()

    async def _catch_up(self, listening: _Listening) -> None:
        """Send what was before; from then on the listener is sent each batch as it comes."""
        position, told = listening.position, listening.listener
        try:
            if position != self._follower.position:
                listening.position, lost = await self._ask(partial(stream.resume, self._redis, position))
                if lost:
                    listening.writer.write(told.gap(position, listening.position))
            while stream.order(listening.position) < stream.order(self._follower.position):
                page = await self._ask(partial(self._page, listening.position))
                if not page:
                    break
                listening.writer.write(told.events(page))
                listening.position = page[-1]["id"]
                await asyncio.wait_for(listening.writer.drain(), DRAINING)
        except (StoreError, OSError):  # it comes again, with the id that it has got to
            listening.writer.transport.abort()
        else:
            listening.live = True
            listening.writer.write(told.pulse(listening.position))

    def _page(self, after: str) -> list[Document]:
        return detailed(self._redis, stream.read(self._redis, after, PAGE))

    async def _ask(self, question: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(self._reading, question)

    def _send_batch(self, batch: Batch) -> None:
        made: dict[tuple[Listener, str], bytes] = {}
        for listening in [each for each in self._listening if each.live]:
            key = (listening.listener, listening.position)
            if key not in made:
                made[key] = _bytes(listening, batch)
            listening.position = batch.last if batch.gap else _later(listening.position, batch.last)
            self._send(listening, made[key])

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(PULSE)
            for listening in [each for each in self._listening if each.live]:
                self._send(listening, listening.listener.pulse(listening.position))

    def _send(self, listening: _Listening, data: bytes) -> None:
        """Send without waiting; who has not read for long is dropped."""
        transport = listening.writer.transport
        if data:
            transport.write(data)
        if transport.get_write_buffer_size() > UNREAD:
            transport.abort()


def _bytes(listening: _Listening, batch: Batch) -> bytes:
    """What a listener is sent of a batch, which may begin before the page that it was sent last ended."""
    if batch.gap:
        return listening.listener.gap(batch.after, batch.last)
    if listening.position == batch.after:
        return listening.listener.events(batch.documents)
    position = stream.order(listening.position)
    return listening.listener.events([d for d in batch.documents if stream.order(d["id"]) > position])


def _later(one: str, other: str) -> str:
    return max(one, other, key=stream.order)
