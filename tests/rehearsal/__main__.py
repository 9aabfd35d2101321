"""`python -m tests.rehearsal [NAME...]`: what operators do to a replicated fleet, done for real, all by default.

Wants root and the packages that test.sh installs. Each rehearsal sends pictures all the time, prints for how long
none was accepted and how many of the accepted are unknown afterwards, and fails where `client check` finds a fault.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from local.process import until
from tests.rehearsal.fleet import RABBITMQ, REDIS, SECONDS, Fleet, Sent
from tests.rehearsal.overlays import NEWER_REDIS
from tests.support.containers.images import ROOT, Storage, broker_images
from tests.support.containers.podman import Podman


def lost_primary(fleet: Fleet) -> Sent:
    """The Redis primary vanishes with its node; Sentinel promotes a replica; the old one returns as a replica."""
    old = fleet.primary()
    with fleet.sending() as sent:
        fleet.pods.lose_pod(old)
        assert until(lambda: fleet.primary() != old, SECONDS, pause=0.5)
        sent.await_more(20)
        back = fleet.pods.start_pod(fleet.pods.workload("redis"), old)
        fleet.pods.wait(back, "readinessProbe", SECONDS)
    assert "role:slave" in fleet.redis(old, "info", "replication")
    return sent


def rolled_redis(fleet: Fleet) -> Sent:
    """Every Redis is replaced, as by a new version of its image: the primary hands over before it stops."""
    with fleet.sending() as sent:
        fleet.pods.roll("redis", SECONDS)
    return sent


def lost_node(fleet: Fleet) -> Sent:
    """A RabbitMQ node vanishes, and comes back."""
    with fleet.sending() as sent:
        fleet.pods.lose_pod(RABBITMQ[0])
        sent.await_more(50)
        back = fleet.pods.start_pod(fleet.pods.workload("rabbitmq"), RABBITMQ[0])
        fleet.pods.wait(back, "readinessProbe", SECONDS)
    return sent


def rolled_rabbitmq(fleet: Fleet) -> Sent:
    """Every RabbitMQ node is replaced, as by a new version: each waits until no queue needs it for its majority."""
    with fleet.sending() as sent:
        fleet.pods.roll("rabbitmq", SECONDS)
    return sent


def restored(fleet: Fleet) -> Sent:
    """A backup comes back while old replicas and Sentinels are there; what came after it is gone, nothing else."""
    before = fleet.send(50)
    fleet.settle()
    print(fleet.run_job("backup").strip())
    kept = fleet.keyspace(fleet.primary())
    after = fleet.send(20)
    fleet.settle()
    fleet.stop_ours()
    restore(fleet, kept)
    fleet.start_ours()
    assert fleet.unknown(after.accepted) == len(after.accepted)
    return before


def upgraded_redis(fleet: Fleet) -> Sent:
    """Redis and Sentinels get a newer version, 8.0 in the place of 7.0, and go back to the older by a restore.

    The server that is replaced last is the primary before the first is replaced, so that no older replica has to
    follow a newer primary.
    """
    before = fleet.send(50)
    fleet.settle()
    print(fleet.run_job("backup").strip())
    kept = fleet.keyspace(fleet.primary())
    with fleet.sending() as sent:
        fleet.ask_start(REDIS[0], "handover")  # so that there is something to take over
        fleet.ask_start(REDIS[0], "takeover")
        fleet.pods.apply(fleet.overlays.with_newer_redis())
        fleet.pods.roll("redis", SECONDS)
    report(fleet, "newer Redis", sent)
    assert fleet.versions() == {"8.0"}
    assert fleet.keyspace(REDIS[0]) == fleet.keyspace(fleet.primary())
    went_back(fleet, kept)
    assert fleet.unknown(sent.accepted) == len(sent.accepted)
    return before


def went_back(fleet: Fleet, kept: dict[str, int]) -> None:
    """An older Redis does not start with a newer one's files, and the others go on; so it starts without any."""
    fleet.pods.apply(fleet.overlays.manifests())
    fleet.pods.stop_pod(REDIS[2])
    (older, *_) = fleet.pods.start_pod(fleet.pods.workload("redis"), REDIS[2])
    assert until(lambda: "Can't handle RDB format" in fleet.podman.log(older), SECONDS)
    assert not fleet.pods.passes(older, "readinessProbe")
    report(fleet, "one older Redis does not start", fleet.send(20))
    fleet.stop_ours()
    fleet.empty_redis()
    restore(fleet, kept)
    assert fleet.versions() == {"7.0"}
    fleet.start_ours()


def restore(fleet: Fleet, kept: dict[str, int]) -> None:
    """Restore the newest backup; every server has its keys then."""
    begun = time.monotonic()
    print(fleet.run_job("restore").splitlines()[0])
    print(f"restored in {time.monotonic() - begun:.1f} s")
    for pod in REDIS:
        assert until(lambda pod=pod: fleet.keyspace(pod) == kept, SECONDS), pod  # type: ignore[misc] # mypy does not see the default


REHEARSALS: tuple[Callable[[Fleet], Sent], ...] = (
    rolled_redis,
    lost_primary,
    rolled_rabbitmq,
    lost_node,
    restored,
    upgraded_redis,
)


def main() -> None:
    """Run the rehearsals that are named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [rehearsal.__name__ for rehearsal in REHEARSALS]
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"one of: {', '.join(names)}")
    args = parser.parse_args()
    storage = Storage(ROOT / "var" / "images")
    with tempfile.TemporaryDirectory() as folder:
        for image in ("rest", "worker"):
            storage.build(image, Path(folder))
        storage.stand_ins(broker_images())
        storage.newer_redis(f"redis:{NEWER_REDIS}")
        podman = Podman(storage.options, Path(folder))
        podman.clear()
        try:
            rehearse(Fleet(podman, Path(folder)), args.names or names)
        finally:
            podman.clear()


def rehearse(fleet: Fleet, names: list[str]) -> None:
    """Start the fleet, and rehearse."""
    begun = time.monotonic()
    fleet.start()
    print(f"ready after {time.monotonic() - begun:.0f} s", flush=True)
    for rehearsal in REHEARSALS:
        if rehearsal.__name__ in names:
            report(fleet, rehearsal.__name__, rehearsal(fleet))


def report(fleet: Fleet, what: str, sent: Sent) -> None:
    """Hold the fleet to its rules, and say how it went."""
    fleet.settle()
    fleet.check()
    print(
        f"{what}: {len(sent.accepted)} pictures accepted, none for {sent.gap:.1f} s at most, "
        f"{fleet.unknown(sent.accepted)} unknown afterwards; check finds no fault",
        flush=True,
    )


if __name__ == "__main__":
    main()
