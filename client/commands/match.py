"""`facefleet match`: which other pictures show a face of this one."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from contextlib import closing
from typing import Any

from client import explain
from client.people_named import person_named, picture_names
from client.pictures import known_picture
from client.server import Server
from client.terminal import note, printable
from faces.config import Settings
from faces.documents import to_json
from faces.store.client import RedisClient
from faces.store.collection import odds
from faces.store.people import appearances
from faces.store.pictures import queries
from faces.store.pictures.evidence import evidence

HELP = "list the other pictures that show a matching face, nearest first"


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("picture", metavar="HASH|FILE|NAME", nargs="?", help="a picture's hash, file or name")
    what.add_argument("--person", metavar="PERSON", help="all pictures of a person, by id or name, instead")
    about = "show which faces match, where they are, how far apart, and how likely they are one person's"
    parser.add_argument("--explain", action="store_true", help=about)
    parser.add_argument("--json", action="store_true", help="print a JSON list; with --explain an object")


def run(args: Namespace, settings: Settings) -> int:
    """Print the names that the server answers with, one a line, or explain the matches."""
    if args.person:
        return _pictures_of(args.person, settings, as_json=args.json)
    picture_id = known_picture(args.picture, settings)
    if args.explain:
        return _explain(picture_id, settings, as_json=args.json)
    server = Server(settings.server, settings.api_key)
    names = server.matches(picture_id)
    if args.json:
        print(to_json(names))
        return 0
    for name in names:
        print(printable(name))
    if not names:
        note(_why_none(server.status(picture_id)))
    return 0


def _pictures_of(given: str, settings: Settings, *, as_json: bool) -> int:
    with closing(RedisClient(settings)) as redis:
        found = appearances.faces(redis, person_named(redis, given))
        names = picture_names(redis, list(dict.fromkeys(face.picture_id for face in found)))
    listed = [name for some in names.values() for name in some]
    print(to_json(listed) if as_json else "\n".join(map(printable, listed)))
    return 0


def _explain(picture_id: str, settings: Settings, *, as_json: bool) -> int:
    with closing(RedisClient(settings)) as redis:
        found, measured = evidence(redis, picture_id), odds.read(redis)
        if not found.matches:
            (status,) = queries.statuses(redis, [picture_id])
            note(_why_none(vars(status) if status else None))
    return explain.show(found, settings.match_tolerance, measured, as_json=as_json)


def _why_none(status: dict[str, Any] | None) -> str:
    status = status or {"state": "unknown"}
    return {
        "unknown": "this picture is unknown: scan it first",
        "pending": "this picture is not processed yet",
        "failed": f"this picture could not be processed: {status.get('reason')}",
    }.get(status["state"], "no other picture shows a matching face")
