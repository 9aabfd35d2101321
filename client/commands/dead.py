"""`facefleet dead`: the messages that nobody could process, why, and a second chance for those that are ours."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

from client.terminal import GREEN, paint, table
from faces.amqp import Publisher
from faces.config import Settings
from faces.documents import to_json
from faces.errors import MessageError
from faces.message import Message, decode, encode
from faces.queue_scan import Found, scan
from faces.store.client import RedisClient
from faces.topology import DEAD, PICTURE_KEY, PICTURES_EXCHANGE
from faces.usecases.replay import replay_message

HELP = "list the dead letters with their reasons; replay one or all"
EVERY = "all"


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter as it is shown; hash and name are what it claims."""

    hash: str
    name: str
    bytes: int
    reason: str
    now: str = ""


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--replay", metavar=f"HASH|{EVERY}", help="have that picture, or every one, processed once more"
    )
    parser.add_argument(
        "--as-new", action="store_true", help="also replay pictures that were erased or never accepted"
    )
    parser.add_argument("--json", action="store_true", help="write one JSON document")


def run(args: Namespace, settings: Settings) -> int:
    """List the dead letters; those not replayed stay. 1 if one asked for cannot be replayed."""
    with closing(RedisClient(settings)) as redis, closing(Publisher(settings)) as publisher:
        replayer = Replayer(redis, publisher, args.replay, as_new=args.as_new)
        letters = [replayer.look(found) for found in scan(settings, [DEAD])]
    if args.json:
        print(to_json({"dead": [asdict(letter) for letter in letters]}))
    elif letters:
        print(table([x.hash, x.name, x.bytes, x.now or x.reason] for x in letters))
    else:
        print(paint("there are no dead letters", GREEN))
    asked = args.replay is not None
    return 1 if asked and not any(letter.now in Replayer.DONE for letter in letters) else 0


class Replayer:
    """Replays the letters that were asked for."""

    REPLAYED, PROCESSED = DONE = ("replayed", "removed: its picture is done already")

    def __init__(
        self, redis: RedisClient, publisher: Publisher, wanted: str | None, *, as_new: bool = False
    ) -> None:
        self._redis = redis
        self._publisher = publisher
        self._wanted = wanted
        self._as_new = as_new

    def look(self, found: Found) -> Letter:
        """Replay a letter if it is wanted; `now` says what became of it."""
        headers = found.headers
        shown = Letter(_text(headers, "hash"), _text(headers, "name"), len(found.body), _reason(headers))
        if self._wanted not in {EVERY, shown.hash}:
            return shown
        try:
            message = replace(decode(headers, found.body), attempt=0)
            published = replay_message(self._redis, self._publish, message, as_new=self._as_new)
        except MessageError as error:
            return replace(shown, now=f"cannot be replayed: {error}")
        found.remove()
        return replace(shown, now=self.REPLAYED if published else self.PROCESSED)

    def _publish(self, message: Message) -> None:
        self._publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, *encode(message))


def _reason(headers: Mapping[str, Any]) -> str:
    """Return the worker's reason, or RabbitMQ's own: it gives up what was delivered too often."""
    return _text(headers, "reason") or f"RabbitMQ: {_text(headers, 'x-first-death-reason') or 'unknown'}"


def _text(headers: Mapping[str, Any], key: str) -> str:
    value = headers.get(key, "")
    return value if isinstance(value, str) else repr(value)[:80]
