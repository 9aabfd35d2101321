"""`facefleet keys`: API keys and the audit log. Works on Redis directly."""

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
from faces.store.access import api_keys, audit_log
from faces.store.client import RedisClient

HELP = "add, list and revoke API keys; see who scanned, searched and erased what"
SCOPES = f"what the key may do; repeat for several: {', '.join(api_key.SCOPES)}"


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    adding = actions.add_parser("add", help="create a key and show it once")
    adding.add_argument("name", metavar="NAME", help="whose key it is, or what it is for")
    adding.add_argument(
        "--scope", action="append", choices=api_key.SCOPES, metavar="SCOPE", required=True, help=SCOPES
    )
    adding.add_argument("--per-minute", type=whole, metavar="N", help="requests per minute; 0: unlimited")
    adding.add_argument("--per-day", type=whole, metavar="N", help="requests per day; 0: unlimited")
    listing = actions.add_parser("list", help="list all valid keys")
    listing.add_argument("--json", action="store_true", help="write a JSON list")
    removing = actions.add_parser("remove", help="revoke a key immediately")
    removing.add_argument("id", metavar="ID", help="as shown by list")
    looking = actions.add_parser("audit", aliases=["trail"], help="show the audit log, newest entry first")
    looking.add_argument("-n", type=positive, default=50, metavar="N", help="number of entries (%(default)s)")
    looking.add_argument("--json", action="store_true", help="write a JSON list")


def run(args: Namespace, settings: Settings) -> int:
    """Run the action."""
    with closing(RedisClient(settings)) as redis:
        return _ACTIONS[args.action](args, settings, redis)


def _add(args: Namespace, _: Settings, redis: RedisClient) -> int:
    key, token = api_key.create(args.name, args.scope, per_minute=args.per_minute, per_day=args.per_day)
    api_keys.add(redis, key)
    note(f"key {key.id} of {key.name} may {', '.join(key.scopes)}; shown only once:")
    print(token)
    return 0


def _list(args: Namespace, settings: Settings, redis: RedisClient) -> int:
    keys = api_keys.every(redis)
    if args.json:
        print(to_json([{k: v for k, v in asdict(key).items() if k != "digest"} for key in keys]))
    else:
        print(table([("id", "created", "per minute", "per day", "scopes", "name"), *_rows(keys, settings)]))
    return 0


def _remove(args: Namespace, _: Settings, redis: RedisClient) -> int:
    if not api_keys.remove(redis, args.id):
        raise UsageError(f"no such key: {args.id}; see facefleet keys list")
    note(f"key {args.id} is revoked")
    return 0


def _audit(args: Namespace, _: Settings, redis: RedisClient) -> int:
    entries = audit_log.last(redis, args.n)
    if args.json:
        print(to_json([asdict(entry) for entry in entries]))
    else:
        print(table([(_time(e.time), e.key, e.did, e.picture_id, e.request) for e in entries]))
    return 0


_ACTIONS = {
    "add": _add,
    "list": _list,
    "remove": _remove,
    "audit": _audit,
    "trail": _audit,
}  # trail: its name in 0.1.0


def _rows(keys: Iterable[Key], settings: Settings) -> Iterable[Sequence[object]]:
    for key in keys:
        minute = settings.key_per_minute if key.per_minute is None else key.per_minute
        day = settings.key_per_day if key.per_day is None else key.per_day
        limits = (str(limit or "unlimited") for limit in (minute, day))
        yield key.id, _time(key.created), *limits, ",".join(key.scopes), key.name


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="seconds")
