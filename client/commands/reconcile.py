"""`facefleet reconcile`: find pictures that were accepted and have no message, and queue them again.

A server that is killed between noting a picture and publishing it leaves one behind; so does a broker that loses
its disk. Its sender was not told "accepted" in the first case; in either, nothing would ever happen to it.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass

from client.terminal import GREEN, paint, table
from faces.amqp import Publisher
from faces.config import Settings
from faces.documents import to_json
from faces.image_store import open_image_store
from faces.message import Message, encode
from faces.queues import depths
from faces.store.client import RedisClient
from faces.store.unfinished import Unfinished, unfinished
from faces.topology import DEAD, PICTURE_KEY, PICTURES_EXCHANGE

HELP = "find accepted pictures that have no message left, and queue them again from the image store"
IDLE, BUSY = 60, 3600  # seconds; a server publishes within the first, the fleet is done within the second

STORED, REQUEUED, GONE = "in the image store: --requeue queues it again", "queued again", "send it again"


@dataclass(frozen=True, slots=True)
class Stranded:
    """A picture without a message, and what can be or was done."""

    hash: str
    accepted: float
    names: tuple[str, ...]
    remedy: str


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("--requeue", action="store_true", help="queue those that the image store has")
    parser.add_argument(
        "--older",
        type=float,
        metavar="SECONDS",
        help=f"least age; by default {IDLE} when nothing is queued and no worker is there, else {BUSY}",
    )
    parser.add_argument("--json", action="store_true", help="write one JSON document")


def run(args: Namespace, settings: Settings) -> int:
    """Look, and queue again; 1 when pictures are left that need their sender or `--requeue`.

    A picture that turns out to have a message after all is only looked at twice: the second time it is known.
    """
    with closing(RedisClient(settings)) as redis:
        found = list(unfinished(redis))  # before the queues: what is published meanwhile is then seen there
        age = (BUSY if _busy(settings) else IDLE) if args.older is None else args.older
        old = [one for one in found if time.time() - one.accepted >= age]
    stranded = list(_remedied(old, settings, requeue=args.requeue))
    _show(stranded, as_json=args.json)
    return 1 if any(one.remedy != REQUEUED for one in stranded) else 0


def _busy(settings: Settings) -> bool:
    """Tell whether a picture in flight may have a message: waiting, or in the hands of a worker."""
    return any(depth.ready or depth.consumers for depth in depths(settings) if depth.queue != DEAD)


def _remedied(found: Iterable[Unfinished], settings: Settings, *, requeue: bool) -> Iterable[Stranded]:
    image_store = open_image_store(settings.image_store_url)
    with closing(Publisher(settings)) as publisher:
        for one in found:
            remedy = STORED if image_store is not None and image_store.has(one.picture_id) else GONE
            if remedy is STORED and requeue:
                name = one.names[-1] if one.names else ""
                headers, body = encode(Message(one.picture_id, name, None, "reconcile"))
                publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, headers, body)
                remedy = REQUEUED
            yield Stranded(one.picture_id, one.accepted, one.names, remedy)


def _show(stranded: Sequence[Stranded], *, as_json: bool) -> None:
    if as_json:
        print(to_json({"stranded": [asdict(one) for one in stranded]}))
    elif stranded:
        print(table([one.hash, ", ".join(one.names), one.remedy] for one in stranded))
    else:
        print(paint("no picture is stranded", GREEN))
