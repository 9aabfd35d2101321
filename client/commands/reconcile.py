"""`facefleet reconcile`: pictures that were accepted and have no message, and originals that have no picture.

A server that is killed between recording a picture and publishing it leaves one behind; so does a broker that loses
its disk. In the first case its sender was not told "accepted"; in either, nothing would ever happen to it.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass

from client.checking.originals import orphans
from client.terminal import GREEN, paint, table
from faces.config import Settings
from faces.documents import to_json
from faces.image_store.pictures import ImageStore, open_image_store
from faces.messaging.amqp import Publisher
from faces.messaging.message import Message, encode
from faces.messaging.queues import depths
from faces.messaging.topology import DEAD, PICTURE_KEY, PICTURES_EXCHANGE, VIDEOS
from faces.store.client import RedisClient
from faces.store.pictures.fail import fail
from faces.store.pictures.queries import Unfinished, unfinished
from faces.usecases.originals import remove_unknown

HELP = "find accepted pictures without a message and originals without a picture, and put them right"
IDLE, BUSY = 60, 3600  # seconds; a server publishes within the first, the fleet is done within the second

STORED, GONE = "in the image store: --requeue queues it again", "send it again, or --fail it"
REQUEUED, FAILED = "queued again", "failed"
ORPHAN, REMOVED = "original or crops without a picture: --sweep removes them", "original and crops removed"
REASON = "its message was lost: send it again"


@dataclass(frozen=True, slots=True)
class Stranded:
    """A picture without a message, or an original without a picture, and what can be or was done."""

    hash: str
    accepted: float | None
    names: tuple[str, ...]
    remedy: str


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("--requeue", action="store_true", help="queue pictures that the image store has")
    parser.add_argument("--fail", action="store_true", help="mark the others as failed")
    parser.add_argument("--sweep", action="store_true", help="remove originals without a picture")
    parser.add_argument(
        "--older",
        type=float,
        metavar="SECONDS",
        help=f"minimum age of a picture; default: {IDLE} if nothing is queued and no worker is there, else {BUSY}",
    )
    parser.add_argument("--json", action="store_true", help="write one JSON document")


def run(args: Namespace, settings: Settings) -> int:
    """Look, and put right what was asked for; 1 if anything is left.

    A picture that turns out to have a message after all does no harm: the second time it is known, or failed.
    """
    image_store = open_image_store(settings.image_store_url)
    with closing(RedisClient(settings)) as redis:
        found = list(unfinished(redis))  # before the queues: what is published meanwhile is then seen there
        age = (BUSY if _busy(settings) else IDLE) if args.older is None else args.older
        old = [one for one in found if time.time() - one.accepted >= age]
        with closing(Publisher(settings)) as publisher:
            mender = Mender(redis, image_store, publisher, requeue=args.requeue, fail=args.fail)
            stranded = [mender.mend(one) for one in old]
        if image_store is not None:
            stranded += _swept(redis, image_store, sweep=args.sweep)
    _show(stranded, as_json=args.json)
    return 1 if any(one.remedy not in {REQUEUED, FAILED, REMOVED} for one in stranded) else 0


def _busy(settings: Settings) -> bool:
    """Tell whether a picture in flight may have a message: in a queue, or held by a worker."""
    pictures = (depth for depth in depths(settings) if depth.queue not in {DEAD, VIDEOS})
    return any(depth.ready or depth.consumers for depth in pictures)


@dataclass(frozen=True)
class Mender:
    """Puts stranded pictures right."""

    redis: RedisClient
    image_store: ImageStore | None
    publisher: Publisher
    requeue: bool
    fail: bool

    def mend(self, one: Unfinished) -> Stranded:
        """Queue a picture again or fail it, as was asked for, and say what can be or was done."""
        return Stranded(one.picture_id, one.accepted, one.names, self._remedy(one))

    def _remedy(self, one: Unfinished) -> str:
        stored = self.image_store is not None and self.image_store.has(one.picture_id)
        if stored and self.requeue:
            name = one.names[-1] if one.names else ""
            headers, body = encode(Message(one.picture_id, name, None, "reconcile"))
            self.publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, headers, body)
            return REQUEUED
        if self.fail:
            fail(self.redis, one.picture_id, "stranded", REASON)
            return FAILED
        return STORED if stored else GONE


def _swept(redis: RedisClient, image_store: ImageStore, *, sweep: bool) -> Iterable[Stranded]:
    for picture_id in orphans(redis, image_store):
        if not sweep:
            yield Stranded(picture_id, None, (), ORPHAN)
        elif remove_unknown(redis, image_store, picture_id):
            yield Stranded(picture_id, None, (), REMOVED)


def _show(stranded: Sequence[Stranded], *, as_json: bool) -> None:
    if as_json:
        print(to_json({"stranded": [asdict(one) for one in stranded]}))
    elif stranded:
        print(table([one.hash, ", ".join(one.names), one.remedy] for one in stranded))
    else:
        print(paint("no picture is stranded", GREEN))
