"""`facefleet match`: which other pictures show a face of this one."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from client.errors import UsageError
from client.server import Server
from client.terminal import note, printable
from faces.config import Settings
from faces.documents import to_json
from faces.identity import hash_of, is_hash

HELP = "names of the other pictures that show a matching face"


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("picture", metavar="HASH|FILE", help="a picture's hash, or the picture itself")
    parser.add_argument("--json", action="store_true", help="write a JSON list")


def run(args: Namespace, settings: Settings) -> int:
    """Ask the server and print the names, one a line."""
    picture, server = picture_hash(args.picture), Server(settings.server, settings.api_key)
    names = server.matches(picture)
    if args.json:
        print(to_json(names))
        return 0
    for name in names:
        print(printable(name))
    if not names:
        note(_why_none(server, picture))
    return 0


def picture_hash(given: str) -> str:
    """The hash that is given, or that of the file.

    Raises:
        UsageError: it is neither a hash nor a file that can be read.
    """
    if is_hash(given):
        return given
    try:
        return hash_of(Path(given).read_bytes())
    except OSError as error:
        raise UsageError(
            f"{given} is neither a hash of 64 hex digits nor a file that can be read: {error.strerror}"
        ) from error


def _why_none(server: Server, picture: str) -> str:
    status = server.status(picture) or {"state": "unknown"}
    return {
        "unknown": "this picture is not known: scan it first",
        "pending": "this picture is not processed yet",
        "failed": f"this picture could not be processed: {status.get('reason')}",
    }.get(status["state"], "no other picture shows a matching face")
