"""`facefleet erase`: remove a picture and everything made from it, wherever it is kept."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from contextlib import closing
from dataclasses import asdict
from functools import partial

from client.errors import UsageError
from client.pictures import named
from client.terminal import note, table
from faces.config import Settings
from faces.documents import to_json
from faces.image_store.pictures import open_image_store
from faces.messaging.queue_scan import remove_messages_of
from faces.picture_id import is_picture_id
from faces.store.access.audit_log import AuditLog
from faces.store.client import RedisClient
from faces.store.collection import inspection
from faces.store.pictures import queries
from faces.usecases.erase import Erased, erase_picture

HELP = "erase a picture and everything made from it; exit code 1 if it is unknown"
HERE = "terminal"  # in the audit log in place of an API key


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("picture", metavar="HASH|NAME", help="a picture's hash, or a name that it has")
    parser.add_argument("--yes", action="store_true", help="do not ask first")
    parser.add_argument("--json", action="store_true", help="write one JSON document")


def run(args: Namespace, settings: Settings) -> int:
    """Erase the picture once confirmed; 1 if it is not, or there is nothing to erase."""
    with closing(RedisClient(settings)) as redis:
        picture_id = args.picture if is_picture_id(args.picture) else named(redis, args.picture)
        if picture_id is None:
            note(
                f"no picture is named {args.picture}: one that failed or lost its name is erased by its hash"
            )
            return 1
        if not (args.yes or _confirmed(redis, picture_id)):
            return 1
        image_store = open_image_store(settings.image_store_url)
        audit_log = AuditLog(redis, settings.audit_length)
        remove_messages = partial(remove_messages_of, settings)
        erased = erase_picture(redis, image_store, audit_log, remove_messages, picture_id, actor=HERE)
    if not erased.anything:
        note(f"picture {picture_id} is unknown: it was never accepted, or was erased")
        return 1
    _show(erased, as_json=args.json)
    return 0


def _confirmed(redis: RedisClient, picture_id: str) -> bool:
    """Ask the person at the terminal.

    Raises:
        UsageError: there is none.
    """
    if not sys.stdin.isatty():
        raise UsageError("erasing needs confirmation, and standard input is not a terminal: add --yes")
    (status,), (names,) = queries.statuses(redis, [picture_id]), inspection.names_of(redis, [picture_id])
    note(f"{picture_id}: {f'{status.state}, faces: {len(status.faces)}' if status else 'not known'}")
    for name in sorted(names):
        note(f"  {name.decode(errors='replace')}")
    print("Erase it for good? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _show(erased: Erased, *, as_json: bool) -> None:
    receipt = erased.receipt
    if as_json:
        print(
            to_json(
                {
                    **asdict(receipt),
                    "image": erased.original,
                    "crops": erased.crops,
                    "messages": erased.messages,
                }
            )
        )
        return
    rows: list[tuple[str, object]] = [("erased", receipt.picture_id), ("state", receipt.state or "not known")]
    rows += [("name", name) for name in receipt.names]
    rows += [("faces", receipt.faces), ("edges", receipt.edges)]
    rows.append(("original", "removed" if erased.original else "none"))
    rows.append(("crops", "removed" if erased.crops else "none"))
    print(table([*rows, ("messages", erased.messages)]))
