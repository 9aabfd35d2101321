"""`facefleet dead`: the messages that nobody could process, why, and a second chance for those that are ours."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from contextlib import closing
from dataclasses import asdict

from client.terminal import GREEN, paint, table
from faces.config import Settings
from faces.documents import to_json
from faces.messaging.amqp import Publisher
from faces.messaging.message import Message, encode
from faces.messaging.queue_scan import scan
from faces.messaging.topology import DEAD, PICTURE_KEY, PICTURES_EXCHANGE
from faces.store.client import RedisClient
from faces.usecases.dead_letters import EVERY, Replayer

HELP = "list the dead letters with their reasons; replay one or all"


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--replay", metavar=f"HASH|{EVERY}", help="process that picture, or every one, once more"
    )
    parser.add_argument(
        "--as-new", action="store_true", help="also replay pictures that were erased or never accepted"
    )
    parser.add_argument("--json", action="store_true", help="write one JSON document")


def run(args: Namespace, settings: Settings) -> int:
    """List the dead letters; those not replayed stay. 1 if one asked for cannot be replayed."""
    with closing(RedisClient(settings)) as redis, closing(Publisher(settings)) as publisher:

        def publish(message: Message) -> None:
            publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, *encode(message))

        replayer = Replayer(redis, publish, args.replay, as_new=args.as_new)
        letters = [replayer.look(found) for found in scan(settings, [DEAD])]
    if args.json:
        print(to_json({"dead": [asdict(letter) for letter in letters]}))
    elif letters:
        print(table([x.hash, x.name, x.bytes, x.now or x.reason] for x in letters))
    else:
        print(paint("there are no dead letters", GREEN))
    asked = args.replay is not None
    return 1 if asked and not any(letter.now in Replayer.DONE for letter in letters) else 0
