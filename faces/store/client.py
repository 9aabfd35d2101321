"""Requests to Redis across its numbered databases. Only this and its `script` say SELECT.

A command is a tuple that begins with the number of its database: `(4, "SMEMBERS", hash)`. Commands given
together travel in one round trip; the connection is back in database 0 after the last of them.

Redis replicates asynchronously, so a failover would lose writes that were already answered. Where `REDIS_REPLICAS`
is set, a transaction therefore counts as done only once that many replicas have it (`WAIT` after `EXEC`), and so
does what people set up or revoke (`write`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from hiredis import pack_command
from redis.connection import Connection
from redis.exceptions import OutOfMemoryError, ResponseError

from faces.config import Settings
from faces.errors import StoreError
from faces.store import script
from faces.store.connection import new_pool, translated
from faces.store.keys import CONFIRMED, DATABASES, HOME

REPLICATION_TIMEOUT = 2.0  # seconds for replicas to confirm a transaction; a LAN takes about a millisecond

Command = tuple[Any, ...]


class Seen(NamedTuple):
    """Replies of one instant, and their digest."""

    digest: bytes
    replies: list[Any]


class RedisClient:
    """A pool of connections to one Redis. Threads may share it; whatever borrows from `pool` stays at home."""

    def __init__(self, settings: Settings) -> None:
        self._replicas = settings.redis_replicas
        self.pool = new_pool(settings)

    def ask(self, *commands: Command) -> list[Any]:
        """Send commands in one round trip, not as a transaction, and return their replies.

        Raises:
            StoreError: Redis is unavailable or rejects one of them.
        """
        with self.session() as session:
            return session.ask(*commands)

    def write(self, *commands: Command) -> list[Any]:
        """Send commands as `ask` does, wait until replicas have what they wrote, and return their replies.

        Unlike `Session.commit` it is no transaction, so at `maxmemory` it still runs what frees memory.

        Raises:
            StoreError: as `ask`, or too few replicas confirmed it: it may or may not survive a failover.
        """
        with self.session() as session:
            replies = session.ask(*commands)
            session.confirm()
            return replies

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Hold one connection: for WATCH, the reads that follow it, and the transaction."""
        with translated():
            connection = self.pool.get_connection()
            try:
                session = Session(connection, self._replicas)
                yield session
                session.unwatch()
            except BaseException:
                # it may still be watching keys, or be in another database
                connection.disconnect()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
                raise
            finally:
                self.pool.release(connection)

    def confirm(self) -> None:
        """Wait until replicas have everything that Redis has now; without `REDIS_REPLICAS` this does nothing.

        Needed before acting on what was only read: another process may have written it and not have waited, or
        this may be an old primary that has missed a failover.

        Raises:
            StoreError: too few replicas confirm it.
        """
        if self._replicas:
            with self.session() as session:
                session.confirm()

    def check(self) -> None:
        """Check that Redis answers and has the numbered databases.

        Raises:
            StoreError: it does not.
        """
        self.ask((max(DATABASES), "PING"))

    def close(self) -> None:
        """Close all connections."""
        self.pool.disconnect()


class Session:
    """One connection, held for a transaction."""

    def __init__(self, connection: Connection, replicas: int = 0) -> None:
        self._connection = connection
        self._replicas = replicas
        self._watching = False

    def ask(self, *commands: Command) -> list[Any]:
        """Send commands in one round trip and return their replies."""
        self._watching |= any(command[1] == "WATCH" for command in commands)
        routed = list(_routed(commands))
        replies = self._send([args for _, args in routed])
        return [reply for (ours, _), reply in zip(routed, replies, strict=True) if ours]

    def commit(self, *commands: Command) -> list[Any] | None:
        """Run commands as one atomic MULTI over all databases, and wait for the replicas.

        Returns:
            Their replies; None when a watched key has changed and nothing was done.

        Raises:
            StoreError: too few replicas confirmed it in time; it may or may not survive a failover.
        """
        return self._transact(commands, self._replicas)

    def snapshot(self, *commands: Command) -> list[Any]:
        """Run commands that only read at one instant and return their replies, also at `maxmemory`."""
        try:
            replies = self._transact(commands, 0)
        except OutOfMemoryError:
            return self.examine(*commands).replies
        return replies or []

    def examine(self, *reads: Command) -> Seen:
        """Read at one instant what `commit_when_full` decides on."""
        ((digest, replies),) = self._send([script.call(reads, b"")])
        return Seen(digest, replies)

    def commit_when_full(
        self, reads: Sequence[Command], seen: Seen, commands: Sequence[Command]
    ) -> list[Any] | None:
        """Run commands atomically, also at `maxmemory`, and wait for the replicas.

        Slower than `commit`, and not for large batches: it is for what frees memory.

        Returns:
            Their replies; None if the replies to `reads` are no longer those that were seen; then nothing was done.

        Raises:
            StoreError: too few replicas confirmed it in time; it may or may not survive a failover.
        """
        replies = self._replicated([script.call(reads, seen.digest, commands)], self._replicas)
        return None if replies[0] is None else list(replies[0][1])

    def _transact(self, commands: Sequence[Command], replicas: int) -> list[Any] | None:
        routed = list(_routed(commands))
        words = [("MULTI",), *(args for _, args in routed), ("EXEC",)]
        *_, outcome = self._replicated(words, replicas)
        self._watching = False
        if outcome is None:
            return None
        _raise_first(outcome)
        return [reply for (ours, _), reply in zip(routed, outcome, strict=True) if ours]

    def _replicated(self, words: Sequence[tuple[Any, ...]], replicas: int) -> list[Any]:
        """Send commands, and wait until that many replicas have what they wrote."""
        if not replicas:
            return self._send(words)
        *replies, confirmed = self._send([*words, ("WAIT", replicas, int(REPLICATION_TIMEOUT * 1000))])
        if confirmed < replicas:
            raise StoreError(
                f"Redis did not replicate a write: {confirmed} of {replicas} confirmed within "
                f"{REPLICATION_TIMEOUT:g} s"
            )
        return replies

    def confirm(self, *commands: Command) -> None:
        """Run commands, if any, and wait until replicas have all that was read; see `RedisClient.confirm`."""
        if commands:
            self.ask(*commands)
        if self._replicas:
            self._replicated([script.call([(HOME, "SET", CONFIRMED, 1)], b"")], self._replicas)

    def unwatch(self) -> None:
        """Stop watching, if anything is watched."""
        if self._watching:
            self.ask((HOME, "UNWATCH"))
            self._watching = False

    def _send(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        connection = self._connection
        packed = b"".join(map(pack_command, commands))  # redis-py's own packing takes five times as long
        connection.send_packed_command([packed])  # type: ignore[no-untyped-call]  # as above
        # read every reply before judging any: one left behind would be taken for the next command's
        replies = [_reply(connection) for _ in commands]
        _raise_first(replies)
        return replies


def run_when_full(*commands: Command) -> Command:
    """Return commands as one that also runs at `maxmemory`, outside of transactions."""
    return (HOME, *script.call(commands, b""))


def _reply(connection: Connection) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error


def _routed(commands: Sequence[Command]) -> Iterator[tuple[bool, tuple[Any, ...]]]:
    """Insert a SELECT wherever the database changes, and one home at the end; True marks the caller's own."""
    current = HOME
    for database, *args in commands:
        if database != current:
            yield False, ("SELECT", database)
            current = database
        yield True, tuple(args)
    if current != HOME:
        yield False, ("SELECT", HOME)


def _raise_first(replies: Sequence[Any]) -> None:
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
