"""One call under way: who makes it, what is told of it, and whether anybody still waits for its answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from math import inf
from typing import Any, TypeVar
from urllib.parse import unquote
from uuid import uuid4

from faces.picture_id import is_picture_id
from faces.store.access.audit_log import Action, AuditLog

T = TypeVar("T")


@dataclass
class Call:
    """A call.

    Attributes:
        context: gRPC's own.
        pool: the threads for what waits on Redis, RabbitMQ or another's server.
        request_id: finds the call in the log.
        key: the id of the caller's API key, if any.
        told: what its log line says of it.
        gone: set once the call has ended, whether or not its work has.
    """

    context: Any
    pool: Executor
    request_id: str = field(default_factory=lambda: uuid4().hex)
    key: str = ""
    told: dict[str, Any] = field(default_factory=dict)
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def token(self) -> str:
        """The API key that was sent; empty: none."""
        sent = {str(name): value for name, value in self.context.invocation_metadata() or ()}
        kind, _, token = str(sent.get("authorization", "")).partition(" ")
        return token.strip() if kind.lower() == "bearer" else str(sent.get("x-api-key", ""))

    @property
    def address(self) -> str:
        """The caller's IP address, out of `ipv4:127.0.0.1:50000` or `ipv6:%5B::1%5D:50000`."""
        _, _, place = unquote(self.context.peer()).partition(":")
        return place.rpartition(":")[0].strip("[]") or "::"

    @property
    def seconds_left(self) -> float:
        """How long the caller still waits."""
        left = self.context.time_remaining()
        return inf if left is None else max(0.001, float(left))

    async def ask(self, work: Callable[[], T]) -> T:
        """Have work done by a thread; it is not begun, or not waited for, once the caller has gone."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)

    async def carry_out(self, work: Callable[[], T]) -> T:
        """Have work done by a thread, whether the caller stays or not: it changes what is stored."""
        return await asyncio.shield(self.ask(work))

    def noting(self, audit_log: AuditLog) -> Callable[[Action, str], None]:
        """What records actions of this caller in the audit log; without API keys the caller is unknown."""

        def note(did: Action, picture_id: str) -> None:
            if self.key and is_picture_id(picture_id):
                audit_log.note(self.key, did, picture_id, self.request_id)

        return note
