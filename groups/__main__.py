"""`python -m groups`: the groups process. One is in charge, others stand by."""

from __future__ import annotations

import logging
import sys
import threading
import time

from threadpoolctl import threadpool_limits

from faces.config import Settings
from faces.errors import MismatchError, Transient
from faces.process.health import serve
from faces.process.until_stopped import until_stopped
from faces.store.client import RedisClient
from groups.clustering.rule import Rule
from groups.follower import Follower, LeaseLostError
from groups.metrics import Metrics
from groups.vitals import Vitals
from groups.warm import warm_up

LOOK = 0.1  # seconds between polls; a face is grouped within a second of its commit
ASIDE = 1.0  # seconds between attempts to take the lease
SUGGEST = 2.0  # seconds between refreshes of the suggestions while something changes
PAUSE = 1.0  # seconds before the next attempt while Redis is unavailable

log = logging.getLogger("groups")


def main() -> int:
    """Run until SIGTERM or SIGINT.

    Returns:
        The exit code: 0 after a stop, 2 if a setting cannot be used.
    """
    return until_stopped("groups", run)


def run(settings: Settings, stopping: threading.Event) -> None:
    """Follow the journal, or stand by while another process does, until told to stop."""
    metrics, vitals, redis = Metrics(), Vitals(), RedisClient(settings)
    serve(metrics.registry, settings.metrics_port, healthz=vitals.healthz, readyz=vitals.readyz)
    threadpool_limits(1)  # NumPy's
    warm_up()
    follower = Follower(redis, Rule(), settings.audit_length, lambda: vitals.beat("in charge"))
    threading.Thread(target=follower.lease.extend_until, args=(stopping,), daemon=True).start()
    while not stopping.is_set():
        try:
            wait_for_lease(follower, vitals, stopping)
            follow(follower, metrics, vitals, stopping)
        except Transient as error:
            log.warning("reading the saved groups again in %.1f s: %s", PAUSE, error)
            vitals.beat("waiting for Redis")
            metrics.holder.set(0)
            metrics.reloads.inc()
            stopping.wait(PAUSE)
    redis.close()


def wait_for_lease(follower: Follower, vitals: Vitals, stopping: threading.Event) -> None:
    """Wait until no other process is in charge, then read the saved state."""
    while not stopping.is_set():
        if follower.lease.take():
            follower.load()
            return
        vitals.beat("standing by")
        stopping.wait(ASIDE)


def follow(follower: Follower, metrics: Metrics, vitals: Vitals, stopping: threading.Event) -> None:
    """Process journal entries and requests until told to stop.

    Raises:
        Transient: Redis is unavailable, or another process has taken over.
    """
    log.info("ready: %d faces in %d groups", follower.faces, len(follower.partition.table))
    metrics.holder.set(1)
    stale, due = True, 0.0
    while not stopping.is_set():
        vitals.beat("in charge")
        begun = time.monotonic()
        news = step(follower)
        if news:
            metrics.stepped(follower, time.monotonic() - begun)
            stale = True
        elif stale and begun >= due:
            follower.suggest()
            stale, due = False, begun + SUGGEST
        else:
            stopping.wait(LOOK)
    follower.lease.give()


def step(follower: Follower) -> bool:
    """Take a step; start over if the journal does not match the saved groups."""
    try:
        return follower.step()
    except LeaseLostError:
        raise
    except MismatchError:
        follower.load()
        try:
            return follower.step()
        except MismatchError:
            follower.start_over()
            return True


if __name__ == "__main__":
    sys.exit(main())
