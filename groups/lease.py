"""Who keeps the groups: one process, which prolongs its lease; when it has died, another takes over.

The lease itself expires. Who takes it also writes its token into the saved state, which every step watches: so a
process that was too slow, and comes back when another has taken over, can write nothing.
"""

from __future__ import annotations

import logging
import threading
import uuid

from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.keys import GROUP_LEASE, GROUP_STATE, GROUPS, HOME

LASTS = 15  # seconds; a process that was killed is followed by another after these

log = logging.getLogger(__name__)


class Lease:
    """One process's claim to keep the groups."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self.token = uuid.uuid4().hex.encode()

    def take(self) -> bool:
        """Ask to be the one; False while another process is."""
        given, holder = self._redis.ask(
            (HOME, "SET", GROUP_LEASE, self.token, "NX", "EX", LASTS), (HOME, "GET", GROUP_LEASE)
        )
        if holder != self.token:
            return False
        if given:
            self._redis.ask((GROUPS, "HSET", GROUP_STATE, "holder", self.token))
        return True

    def prolong(self) -> None:
        """Keep it, unless another process has it."""
        with self._redis.session() as session:
            _, holder = session.ask((HOME, "WATCH", GROUP_LEASE), (HOME, "GET", GROUP_LEASE))
            if holder == self.token:
                session.commit((HOME, "EXPIRE", GROUP_LEASE, LASTS))

    def give(self) -> None:
        """Let another process follow at once."""
        with self._redis.session() as session:
            _, holder = session.ask((HOME, "WATCH", GROUP_LEASE), (HOME, "GET", GROUP_LEASE))
            if holder == self.token:
                session.commit((HOME, "DEL", GROUP_LEASE))

    def prolong_until(self, over: threading.Event) -> None:
        """Prolong it again and again, on a thread of its own: a step may take longer than it lasts."""
        while not over.wait(LASTS / 3):
            try:
                self.prolong()
            except StoreError as error:
                log.warning("the lease was not prolonged: %s", error)
