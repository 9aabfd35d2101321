"""`facefleet dead`: the messages that nobody could process, why, and a second chance for those that are ours."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

from client.terminal import GREEN, paint, table
from faces.amqp import Publisher, connect, translated
from faces.config import Settings
from faces.documents import to_json
from faces.errors import MessageError
from faces.message import Message, decode, encode
from faces.store.client import RedisClient
from faces.topology import DEAD, PICTURE_KEY, PICTURES_EXCHANGE, declare
from faces.usecases.ingest import accept_and_publish

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
        "--replay", metavar=f"HASH|{EVERY}", help="accept that picture, or every one, once more"
    )
    parser.add_argument("--json", action="store_true", help="write one JSON document")


def run(args: Namespace, settings: Settings) -> int:
    """List the dead letters; those not replayed stay where they are. 1 if one asked for cannot be replayed."""
    with closing(RedisClient(settings)) as redis, closing(Publisher(settings)) as publisher:
        letters = list(_letters(settings, Replay(redis, publisher, args.replay)))
    if args.json:
        print(to_json({"dead": [asdict(letter) for letter in letters]}))
    elif letters:
        print(table([x.hash, x.name, x.bytes, x.now or x.reason] for x in letters))
    else:
        print(paint("there are no dead letters", GREEN))
    asked = args.replay is not None
    return 1 if asked and not any(letter.now == Replay.DONE for letter in letters) else 0


class Replay:
    """Replays the letters that were asked for."""

    DONE = "replayed"

    def __init__(self, redis: RedisClient, publisher: Publisher, wanted: str | None) -> None:
        self._redis = redis
        self._publisher = publisher
        self._wanted = wanted

    def look(self, headers: Mapping[str, Any], body: bytes) -> Letter:
        """Replay a letter if it is wanted; `now` says what became of it."""
        shown = Letter(_text(headers, "hash"), _text(headers, "name"), len(body), _reason(headers))
        if self._wanted not in {EVERY, shown.hash}:
            return shown
        try:
            accept_and_publish(self._redis, self._publish, None, replace(decode(headers, body), attempt=0))
        except MessageError as error:
            return replace(shown, now=f"cannot be replayed: {error}")
        return replace(shown, now=self.DONE)

    def _publish(self, message: Message) -> None:
        self._publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, *encode(message))


def _letters(settings: Settings, replay: Replay) -> Iterator[Letter]:
    """Take each letter in hand once; what is not acknowledged goes back when the connection is closed."""
    with closing(connect(settings)) as connection, translated():
        channel = connection.channel()
        declare(channel, settings)
        count = channel.queue_declare(DEAD, passive=True).method.message_count
        for _ in range(count):  # a replayed one may be back already
            method, properties, body = channel.basic_get(DEAD)
            if method is None:
                return
            letter = replay.look(properties.headers or {}, body)
            if letter.now == Replay.DONE:
                channel.basic_ack(method.delivery_tag)
            yield letter


def _reason(headers: Mapping[str, Any]) -> str:
    """The worker's reason, or RabbitMQ's own word: it gives up what was delivered too often."""
    return _text(headers, "reason") or f"RabbitMQ: {_text(headers, 'x-first-death-reason') or 'unknown'}"


def _text(headers: Mapping[str, Any], key: str) -> str:
    value = headers.get(key, "")
    return value if isinstance(value, str) else repr(value)[:80]
