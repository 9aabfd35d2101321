"""`facefleet status`: what the fleet has done and what waits, or what is known of one picture."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import datetime

from client.calibration import advice
from client.errors import UsageError
from client.pictures import known_picture
from client.terminal import GREEN, RED, note, paint, table
from faces.config import Settings
from faces.documents import to_json
from faces.messaging.queues import Depth, depths
from faces.messaging.topology import DEAD, PICTURES_QUEUE, VIDEOS
from faces.store import memory
from faces.store.client import RedisClient
from faces.store.collection import inspection, odds
from faces.store.memory import Memory
from faces.store.pictures import queries
from faces.store.pictures.queries import Counts
from faces.store.pictures.status import Status

HELP = "show counts and queues of the fleet; given a hash, file or name, what is known of that picture"


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    about = "a picture's hash, file or name"
    parser.add_argument("picture", metavar="HASH|FILE|NAME", nargs="?", help=about)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: Namespace, settings: Settings) -> int:
    """Ask Redis and RabbitMQ; 1 when a picture is unaccounted for."""
    with closing(RedisClient(settings)) as redis:
        if args.picture:
            return _picture(redis, known_picture(args.picture, settings), as_json=args.json)
        code = _fleet(queries.counts(redis), memory.survey(redis), settings, as_json=args.json)
        tolerance = inspection.tolerance(inspection.stored_version(redis))
        if warning := advice.warning(odds.read(redis), tolerance):
            note(warning)
        return code


def _fleet(counts: Counts, used: Memory, settings: Settings, *, as_json: bool) -> int:
    if as_json:
        queues = depths(settings)
        figures = {**asdict(counts), "unaccounted": counts.unaccounted, **whereabouts(counts, queues)}
        memory_figures = {**asdict(used), "doubled": used.doubled}
        print(to_json({**figures, "memory": memory_figures, "queues": [asdict(depth) for depth in queues]}))
    else:
        print(_shown(counts))
        print("\n" + table(_memory_rows(used)))
        queues = depths(settings)
        where = whereabouts(counts, queues).items()
        print("\n" + table((label.replace("_", " "), value) for label, value in where))
        print("\n" + table(_rows(queues)))
    return 1 if counts.unaccounted else 0


def whereabouts(counts: Counts, queues: Iterable[Depth]) -> dict[str, int]:
    """Where the pictures in flight are; RabbitMQ says what is waiting, and workers have the rest.

    The two are asked one after the other, so on a busy fleet the last is right to within a few. One that stays
    above zero while no worker is busy counts pictures without a message: `facefleet reconcile` finds them.
    """
    ready = {depth.queue: depth.ready or 0 for depth in queues if depth.queue != VIDEOS}
    dead, waiting = ready.pop(DEAD, 0), ready.pop(PICTURES_QUEUE, 0)
    retried = sum(ready.values())
    in_hand = max(0, counts.in_flight - waiting - retried)
    return {"waiting": waiting, "retried": retried, "in_hand": in_hand, "dead_letters": dead}


def _shown(counts: Counts) -> str:
    verdict = paint("  every picture is accounted for", GREEN)
    if counts.unaccounted:
        verdict = paint("  must be 0: run facefleet check", RED)
    rows = [(label.replace("_", " "), value) for label, value in asdict(counts).items()]
    return table([*rows, ("unaccounted", counts.unaccounted)]) + verdict


def _memory_rows(used: Memory) -> Iterable[Sequence[object]]:
    share = f"{used.used / used.limit:.0%} of its limit" if used.limit else "no limit: set maxmemory"
    yield "Redis, MB", _megabytes(used.used), share
    for part, size in used.parts.items():
        yield f"  {part}", _megabytes(size), f"about {used.edges:,} edges" if part == "matches" else ""
    fits = "" if used.doubled <= used.limit or not used.limit else "more than its limit"
    yield "with twice the pictures", _megabytes(used.doubled), fits


def _megabytes(size: int) -> int:
    return round(size / 1e6)


def _rows(queues: Iterable[Depth]) -> Iterable[Sequence[object]]:
    for depth in queues:
        workers = f"{depth.consumers:,} consuming" if depth.consumers else ""
        yield depth.queue, depth.ready, "not declared yet" if depth.ready is None else workers


def _picture(redis: RedisClient, picture_id: str, *, as_json: bool) -> int:
    status = queries.status_with_names(redis, picture_id)
    if status is None:
        raise UsageError(f"picture {picture_id} is unknown: it was never accepted, or was erased")
    if as_json:
        print(to_json(status.shown()))
    else:
        print(table(_about(status)))
    return 0


def _about(status: Status) -> Iterable[Sequence[object]]:
    yield "hash", status.hash
    yield "state", status.state
    yield "accepted", _time(status.accepted)
    if status.finished is not None:
        yield "finished", _time(status.finished)
    if status.model:
        yield "model", status.model
    if status.reason:
        yield "reason", f"{status.code}: {status.reason}"
    for label, values in (("name", status.names), ("face", map(_face, status.faces))):
        for value in values:
            yield label, value


def _face(face: dict[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in face.items())


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="seconds")
