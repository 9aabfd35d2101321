"""`facefleet check`: check the databases against their rules and brute force, while the fleet works."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from contextlib import closing
from dataclasses import asdict, dataclass

import numpy as np

from client.checking import bookkeeping, milvus, snapshot
from client.checking.brute_force import matching, pairs
from client.checking.edges import Codes
from client.checking.faults import Faults
from client.checking.originals import messages_of, orphans
from client.checking.snapshot import Snapshot
from client.errors import UsageError
from client.pictures import hash_or_file
from client.terminal import GREEN, RED, bar, paint, printable, table
from faces.config import Settings
from faces.documents import to_json
from faces.image_store.pictures import open_image_store
from faces.store.client import RedisClient
from faces.store.collection import inspection
from faces.store.keys import ENCODINGS, MATCHES

HELP = "check the databases against their rules while the fleet works; exit code 1 if one does not hold"


@dataclass
class Report:
    """What was checked."""

    pictures: int
    faces: int
    edges: int
    names: int
    tolerance: float
    seconds: float


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    about = "only check that nothing of an erased picture is left anywhere"
    about_groups = "check the groups of faces instead, against every face and statement"
    parser.add_argument("--groups", action="store_true", help=about_groups)
    parser.add_argument("--residue", metavar="HASH|FILE", help=about)
    parser.add_argument("--json", action="store_true", help="write one JSON document")


def run(args: Namespace, settings: Settings) -> int:
    """Check; 1 on any fault."""
    with closing(RedisClient(settings)) as redis:
        if args.residue:
            return _residue(redis, settings, hash_or_file(args.residue), as_json=args.json)
        if args.groups:
            return _groups(redis, as_json=args.json)
        faults = Faults()
        bookkeeping.check_types(redis, faults)
        report = None if faults.count else check(redis, settings.match_tolerance, faults)
        image_store = open_image_store(settings.image_store_url)
        for picture_id in orphans(redis, image_store) if image_store is not None else ():
            faults.add(
                4,
                f"{picture_id}: an original or crops without a picture; facefleet reconcile --sweep removes it",
            )
    _show(report, faults, as_json=args.json)
    return 1 if faults.count else 0


def check(redis: RedisClient, tolerance: float, faults: Faults) -> Report:
    """Check all rules, in data of the right types; `tolerance` is used only if the data does not name its own.

    Raises:
        StoreError: Redis is unavailable, or its data was replaced meanwhile.
    """
    begun = time.monotonic()
    before = bookkeeping.counts(redis)
    names = bookkeeping.check_names(redis, faults)
    done = bookkeeping.check_states(redis, faults)
    bookkeeping.check_counts(before, bookkeeping.counts(redis), done, faults)
    with bar(inspection.size(redis, ENCODINGS), "reading faces") as progress:
        taken = snapshot.take(redis, faults, progress.update)
    tolerance = taken.tolerance or tolerance
    with bar(pairs(len(taken.faces)), "comparing") as progress:
        expected = matching(taken.faces, taken.owners, len(taken.picture_ids), tolerance, progress.update)
    compare(taken, expected, faults)
    edges = len(taken.edges) // 2
    return Report(taken.present, len(taken.faces), edges, names, tolerance, time.monotonic() - begun)


def compare(taken: Snapshot, expected: Codes, faults: Faults) -> None:
    """Rules 2 and 3: db 4 has the edges that brute force gives, no others, and each in both directions."""
    for edge in np.setdiff1d(expected, taken.edges, assume_unique=True):
        one, other = _ends(taken, edge)
        faults.add(3, f"db {MATCHES} lacks {other} among the matches of {one}: a pair of their faces matches")
    for edge in np.setdiff1d(taken.edges, expected, assume_unique=True):
        one, other = _ends(taken, edge)
        if one == other:
            faults.add(2, f"db {MATCHES} has {one} as a match of itself")
        else:
            faults.add(3, f"db {MATCHES} has {other} among the matches of {one}: no pair of their faces does")
    first, second = np.divmod(taken.edges, max(len(taken.picture_ids), 1))
    for edge in np.setdiff1d(taken.edges, second * len(taken.picture_ids) + first):
        one, other = _ends(taken, edge)
        faults.add(2, f"db {MATCHES} has {other} among the matches of {one}, but not the reverse")


def _ends(taken: Snapshot, edge: int) -> tuple[str, str]:
    first, second = divmod(int(edge), len(taken.picture_ids))
    return taken.picture_ids[first].decode(), taken.picture_ids[second].decode()


def _show(report: Report | None, faults: Faults, *, as_json: bool) -> None:
    figures = asdict(report) if report else {}
    if as_json:
        listed = [asdict(fault) for fault in faults.first]
        print(to_json({**figures, "faults": faults.count, "listed": listed}))
        return
    shown = {**figures, "seconds": round(report.seconds, 1)} if report else figures
    print(table([*shown.items(), ("faults", faults.count)]))
    if report is None:
        print("nothing else can be checked before these are fixed:")
    for fault in faults.first:
        print(f"{paint(f'rule {fault.rule}', RED)}  {printable(fault.where)}")
    if faults.count > len(faults.first):
        print(f"and {faults.count - len(faults.first):,} more")
    if not faults.count:
        print(paint("all rules hold", GREEN))


def _groups(redis: RedisClient, *, as_json: bool) -> int:
    try:
        from groups.checking.faults import faults  # noqa: PLC0415 -- needs Numba, which the client alone does not
    except ImportError as error:
        raise UsageError(
            "the groups process is not installed here: pip install 'facefleet[worker]'"
        ) from error
    found = faults(redis)
    if as_json:
        print(to_json({"faults": len(found), "listed": found}))
    else:
        print(
            "\n".join(map(printable, found))
            or paint("the groups comply with every statement and the rule", GREEN)
        )
    return 1 if found else 0


def _residue(redis: RedisClient, settings: Settings, picture_id: str, *, as_json: bool) -> int:
    places = list(inspection.residue(redis, picture_id))
    image_store = open_image_store(settings.image_store_url)
    if image_store is not None and image_store.has(picture_id):
        places.append("image store")
    if image_store is not None and image_store.has_crops(picture_id):
        places.append("image store, crops")
    places += [*messages_of(settings, picture_id), *milvus.residue(settings, picture_id)]
    if as_json:
        print(to_json({"hash": picture_id, "residue": places}))
    else:
        print("\n".join(map(printable, places)) or paint(f"nothing is left of {picture_id}", GREEN))
    return 1 if places else 0
