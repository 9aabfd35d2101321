"""`facefleet keys`: the API keys, and the trail of what was done with them. Works on Redis itself."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import datetime

from client.errors import UsageError
from client.terminal import note, table
from faces import api_key
from faces.api_key import Key
from faces.config import Settings
from faces.documents import to_json
from faces.parsers import positive, whole
from faces.store import api_keys, audit_log
from faces.store.client import RedisClient

HELP = "add, list and remove API keys; see who scanned, searched and erased what"
SCOPES = f"what it may do, given once or more: {', '.join(api_key.SCOPES)}"


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
    adding = deeds.add_parser("add", help="put a new key in force and show it, this once")
    adding.add_argument("name", metavar="NAME", help="whose key it is, or what for")
    adding.add_argument(
        "--scope", action="append", choices=api_key.SCOPES, metavar="SCOPE", required=True, help=SCOPES
    )
    adding.add_argument("--per-minute", type=whole, metavar="N", help="requests a minute; 0: no limit")
    adding.add_argument("--per-day", type=whole, metavar="N", help="requests a day; 0: no limit")
    listing = deeds.add_parser("list", help="show all keys in force")
    listing.add_argument("--json", action="store_true", help="write a JSON list")
    removing = deeds.add_parser("remove", help="take a key out of force, at once")
    removing.add_argument("id", metavar="ID", help="as list shows it")
    looking = deeds.add_parser("trail", help="show who did what, the newest first")
    looking.add_argument("-n", type=positive, default=50, metavar="N", help="entries (%(default)s)")
    looking.add_argument("--json", action="store_true", help="write a JSON list")


def run(args: Namespace, settings: Settings) -> int:
    """Do it."""
    with closing(RedisClient(settings)) as redis:
        return _DEEDS[args.deed](args, settings, redis)


def _add(args: Namespace, _: Settings, redis: RedisClient) -> int:
    key, token = api_key.create(args.name, args.scope, per_minute=args.per_minute, per_day=args.per_day)
    api_keys.add(redis, key)
    note(f"key {key.id} of {key.name} may {', '.join(key.scopes)}; it is shown this once:")
    print(token)
    return 0


def _list(args: Namespace, settings: Settings, redis: RedisClient) -> int:
    keys = api_keys.every(redis)
    if args.json:
        print(to_json([{k: v for k, v in asdict(key).items() if k != "digest"} for key in keys]))
    else:
        print(table([("id", "made", "a minute", "a day", "scopes", "name"), *_rows(keys, settings)]))
    return 0


def _remove(args: Namespace, _: Settings, redis: RedisClient) -> int:
    if not api_keys.remove(redis, args.id):
        raise UsageError(f"there is no key {args.id}: facefleet keys list shows those in force")
    note(f"key {args.id} is out of force")
    return 0


def _trail(args: Namespace, _: Settings, redis: RedisClient) -> int:
    entries = audit_log.last(redis, args.n)
    if args.json:
        print(to_json([asdict(entry) for entry in entries]))
    else:
        print(table([(_time(e.time), e.key, e.did, e.picture_id, e.request) for e in entries]))
    return 0


_DEEDS = {"add": _add, "list": _list, "remove": _remove, "trail": _trail}


def _rows(keys: Iterable[Key], settings: Settings) -> Iterable[Sequence[object]]:
    for key in keys:
        minute = settings.key_per_minute if key.per_minute is None else key.per_minute
        day = settings.key_per_day if key.per_day is None else key.per_day
        limits = (str(limit or "no limit") for limit in (minute, day))
        yield key.id, _time(key.created), *limits, ",".join(key.scopes), key.name


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="seconds")
