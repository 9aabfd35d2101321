"""Posting events to webhooks: in order and at least once for each hook, by one server at a time.

Every server has a deliverer, and one of them the lease. A hook that fails is tried again with growing delay, and
keeps no other waiting; after a day of failures, or when it answers 410, it is paused until somebody replays it.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from faces.documents import to_json
from faces.errors import FetchError, StoreError
from faces.store.client import RedisClient
from faces.store.events import stream, webhooks
from faces.store.events.webhooks import Progress, Webhook
from faces.usecases.event_details import Document, detailed
from rest.events.follower import Batch, Follower
from rest.events.selection import Selection
from rest.events.signature import signed

LEASE = 30  # seconds; who loses it has posted its last message well before
TIMEOUT = 10.0  # seconds for a hook to answer
LOOK = 1.0  # seconds between looks at which hooks are due
AT_ONCE = 8  # hooks that are posted to at once
PAGE = 100  # events read at once
DELAYS = (5, 30, 120, 600, 1800, 3600)  # seconds before another attempt; the last one repeats
GIVE_UP = 24 * 3600.0  # seconds of failures after which a hook is paused
GONE = 410

Post = Callable[[str, Mapping[str, str], bytes], int]
"""Posts a body with headers to a URL; gives the answer's status, or raises FetchError."""

log = logging.getLogger(__name__)


class Deliverer:
    """Serves all hooks, on threads of its own."""

    def __init__(self, redis: RedisClient, follower: Follower, post: Post) -> None:
        self._redis = redis
        self._follower = follower
        self._post = post
        self._token = secrets.token_hex(16)
        self._leased_until = 0.0
        self._serving: set[str] = set()
        self._news = threading.Event()
        self._closing = threading.Event()
        self._posting = ThreadPoolExecutor(AT_ONCE, "webhooks")
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> Deliverer:
        """Start posting, whenever this server has the lease."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Begin no further message."""
        self._closing.set()
        self._news.set()
        self._posting.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        with self._follower.subscribed(self._wake):
            while not self._closing.is_set():
                try:
                    self._look()
                except StoreError as error:
                    log.warning("webhooks are waiting: %s", error)
                self._news.wait(LOOK)
                self._news.clear()

    def _wake(self, _: Batch) -> None:
        self._news.set()

    def _look(self) -> None:
        """Have every hook served that is due."""
        hooks = webhooks.every(self._redis)
        if not hooks or not webhooks.lease(self._redis, self._token, LEASE):
            return
        self._leased_until = time.monotonic() + LEASE - TIMEOUT - 5
        progress = webhooks.progress(self._redis)
        for hook in hooks:
            now = progress.get(hook.id)
            if now and hook.id not in self._serving and self._due(now) and not self._closing.is_set():
                self._serving.add(hook.id)
                self._posting.submit(self._serve, hook, now)

    def _due(self, progress: Progress) -> bool:
        waiting = progress.paused or time.time() < progress.retry_at
        return not waiting and progress.after != self._follower.position

    def _serve(self, hook: Webhook, progress: Progress) -> None:
        try:
            _Delivery(self._redis, self._post, self._may_post, hook, progress).run()
        except StoreError as error:
            log.warning("webhook %s is waiting: %s", hook.id, error)
        except Exception:
            log.exception("webhook %s failed", hook.id)
        finally:
            self._serving.discard(hook.id)

    def _may_post(self) -> bool:
        return time.monotonic() < self._leased_until and not self._closing.is_set()


class _Delivery:
    """Posts what a hook has not been posted yet, until something fails or nothing is left."""

    def __init__(
        self,
        redis: RedisClient,
        post: Post,
        may_post: Callable[[], bool],
        hook: Webhook,
        progress: Progress,
    ) -> None:
        self._redis = redis
        self._post = post
        self._may_post = may_post
        self._hook = hook
        self._progress = progress
        self._selection = Selection(frozenset(hook.kinds), hook.hash, hook.prefix, hook.person)

    def run(self) -> None:
        """Post.

        Raises:
            StoreError: Redis is unavailable; the message that was posted last may be posted again.
        """
        position, lost = stream.resume(self._redis, self._progress.after)
        if lost and not self._deliver(_gap(self._progress.after, position), position):
            return
        while page := stream.read(self._redis, self._progress.after, PAGE):
            for document in detailed(self._redis, page):
                if self._selection.admits(document) and not self._deliver(document, document["id"]):
                    return
            if not self._note(Progress(after=page[-1].id, round=self._progress.round)):
                return

    def _deliver(self, document: Document, after: str) -> bool:
        """Post one message; False where the next one must wait."""
        if not self._may_post():
            return False
        error, status = "", 0
        try:
            status = self._post_signed(document)
        except FetchError as failure:
            error = str(failure)
        if 200 <= status < 300:
            return self._note(Progress(after=after, round=self._progress.round))
        self._fail(error or f"it answered with status {status}", gone=status == GONE)
        return False

    def _post_signed(self, document: Document) -> int:
        when = datetime.fromtimestamp(document["time"], UTC).isoformat(timespec="milliseconds")
        message: dict[str, Any] = {"type": document["kind"], "timestamp": when, "data": document}
        body = to_json(message).encode()
        headers = signed(self._hook.secret, document["id"], int(time.time()), body)
        return self._post(self._hook.url, headers, body)

    def _fail(self, error: str, *, gone: bool) -> None:
        before, now = self._progress, time.time()
        since = before.failing_since or now
        paused = gone or now - since >= GIVE_UP
        delay = DELAYS[min(before.failures, len(DELAYS) - 1)]
        log.log(logging.ERROR if paused else logging.INFO, "webhook %s: %s", self._hook.id, error)
        self._note(
            replace(
                before,
                failures=before.failures + 1,
                failing_since=since,
                retry_at=now + delay,
                paused=paused,
                error=error,
            )
        )

    def _note(self, progress: Progress) -> bool:
        """Note progress; False if the hook was removed or set back meanwhile."""
        before, self._progress = self._progress, progress
        return webhooks.advance(self._redis, self._hook.id, before, progress)


def _gap(after: str, position: str) -> Document:
    """The message that events between two ids are lost."""
    number = f"gap-{after}-{position}"
    return {"id": number, "kind": "gap", "time": time.time(), "after": after, "before": position}
