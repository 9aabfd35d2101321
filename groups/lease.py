"""A lease in Redis that keeps the groups process single; when its holder dies, another process takes over.

The lease expires. Its holder also writes its token into the saved state, which every step watches: a process that
was stalled and comes back after another took over cannot write anything.
"""

from __future__ import annotations

import logging
import threading
import uuid

from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.keys import GROUP_LEASE, GROUP_STATE, GROUPS, HOME

LASTS = 15  # seconds until another process takes over from one that was killed

log = logging.getLogger(__name__)


class Lease:
    """One process's claim to be in charge of the groups."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self.token = uuid.uuid4().hex.encode()

    def take(self) -> bool:
        """Try to take it; False while another process holds it."""
        given, holder = self._redis.ask(
            (HOME, "SET", GROUP_LEASE, self.token, "NX", "EX", LASTS), (HOME, "GET", GROUP_LEASE)
        )
        if holder != self.token:
            return False
        if given:
            self._redis.ask((GROUPS, "HSET", GROUP_STATE, "holder", self.token))
        return True

    def extend(self) -> None:
        """Extend it, unless another process holds it."""
        with self._redis.session() as session:
            _, holder = session.ask((HOME, "WATCH", GROUP_LEASE), (HOME, "GET", GROUP_LEASE))
            if holder == self.token:
                session.commit((HOME, "EXPIRE", GROUP_LEASE, LASTS))

    def give(self) -> None:
        """Release it, so that another process can take over at once."""
        with self._redis.session() as session:
            _, holder = session.ask((HOME, "WATCH", GROUP_LEASE), (HOME, "GET", GROUP_LEASE))
            if holder == self.token:
                session.commit((HOME, "DEL", GROUP_LEASE))

    def extend_until(self, over: threading.Event) -> None:
        """Keep extending it, on a thread of its own: a step may take longer than it lasts."""
        while not over.wait(LASTS / 3):
            try:
                self.extend()
            except StoreError as error:
                log.warning("could not extend the lease: %s", error)
