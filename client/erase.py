"""`facefleet erase`: a picture and everything made from it, out of the databases and the image store."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from contextlib import closing
from dataclasses import asdict

from client.errors import UsageError
from client.terminal import note, table
from faces.config import Settings
from faces.documents import to_json
from faces.identity import is_hash
from faces.images import open_store
from faces.store import audit, reading
from faces.store import erase as erasing
from faces.store.erase import ErasedReceipt
from faces.store.link import Link
from faces.store.trail import Trail
from faces.store.unfinished import unfinished

HELP = "erase a picture and all that was made from it; exit code 1 where nothing is known of it"
HERE = "terminal"  # stands in the trail where a request has its API key


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("picture", metavar="HASH|NAME", help="a picture's hash, or a name that it has")
    parser.add_argument("--yes", action="store_true", help="do not ask first")
    parser.add_argument("--json", action="store_true", help="write one JSON document")


def run(args: Namespace, settings: Settings) -> int:
    """Erase the picture if the person means it; 1 if they do not, or there is nothing to erase."""
    with closing(Link(settings)) as link:
        picture = args.picture if is_hash(args.picture) else _named(link, args.picture)
        if picture is None:
            note(
                f"no picture is named {args.picture}: give the hash of one that has lost its name or has failed"
            )
            return 1
        if not (args.yes or _confirmed(link, picture)):
            return 1
        Trail(link, settings.audit_length).note(HERE, "erase", picture, "")
        receipt = erasing.erase(link, picture)
    images = open_store(settings.image_store_url)
    kept = images is not None and images.delete(picture)
    if not (kept or receipt.state or receipt.names or receipt.faces):
        note(f"nothing is known of picture {picture}: it was never accepted, or is erased")
        return 1
    _show(receipt, kept=kept, as_json=args.json)
    return 0


def _named(link: Link, name: str) -> str | None:
    """The picture that has a name, or else one that is to get it when it is done."""
    waiting = (one.picture for one in unfinished(link) if name in one.names)
    return reading.picture_named(link, name) or next(waiting, None)


def _confirmed(link: Link, picture: str) -> bool:
    """Ask whoever sits at the terminal.

    Raises:
        UsageError: nobody does.
    """
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to confirm that a picture is to be erased for good: add --yes")
    (status,), (names,) = reading.statuses(link, [picture]), audit.names_of(link, [picture])
    note(f"{picture}: {f'{status.state}, faces: {len(status.faces)}' if status else 'not known'}")
    for name in sorted(names):
        note(f"  {name.decode(errors='replace')}")
    print("Erase it for good? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _show(receipt: ErasedReceipt, *, kept: bool, as_json: bool) -> None:
    if as_json:
        print(to_json({**asdict(receipt), "image": kept}))
        return
    rows: list[tuple[str, object]] = [("erased", receipt.picture), ("state", receipt.state or "not known")]
    rows += [("name", name) for name in receipt.names]
    rows += [("faces", receipt.faces), ("edges", receipt.edges)]
    print(table([*rows, ("original", "removed" if kept else "none")]))
