"""`facefleet rebuild`: all edges anew, with another tolerance or to mend them, while the fleet works."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from contextlib import closing

from client.errors import UsageError
from client.gallery import Gallery
from client.terminal import bar, note, table
from faces.config import Settings
from faces.documents import to_json
from faces.parsers import distance
from faces.store import inspection
from faces.store import rebuild as rebuilding
from faces.store.client import RedisClient
from faces.store.data_version import DataVersion
from faces.store.keys import ENCODINGS

HELP = "make all edges anew, with another tolerance or to mend them, while the fleet works"


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    about = "largest distance of a match from now on (default: as it is)"
    parser.add_argument("--tolerance", type=distance, metavar="T", help=about)
    about = "give up a rebuild that was interrupted; without this, running it again goes on with it"
    parser.add_argument("--abandon", action="store_true", help=about)
    parser.add_argument("--json", action="store_true", help="write one JSON document")


def run(args: Namespace, settings: Settings) -> int:
    """Rebuild, or give a rebuild up."""
    with closing(RedisClient(settings)) as redis:
        if args.abandon:
            rebuilding.abandon(redis)
            note("no rebuild is under way; the edges are as they were")
            return 0
        before = _in_force(redis)
        after = DataVersion(before.model, args.tolerance or before.tolerance)
        begun = time.monotonic()
        rebuild(redis, after)
        figures = {
            "pictures": inspection.size(redis, ENCODINGS),
            "tolerance": after.tolerance,
            "before": before.tolerance,
            "seconds": round(time.monotonic() - begun, 1),
        }
    print(to_json(figures) if args.json else table(figures.items()))
    if after != before:
        note(
            f"start the workers anew with MATCH_TOLERANCE={after.tolerance:g}: "
            "one that runs with another ends when it next commits, and loses nothing"
        )
    return 0


def rebuild(redis: RedisClient, data_version: DataVersion) -> None:
    """Rebuild with a progress bar, whose time left counts pairs of faces: they grow with the journal's square.

    Raises:
        MismatchError: a rebuild to something else is under way, or this one was abandoned meanwhile.
        StoreError: Redis is away; calling again goes on.
    """
    with bar(None, "rebuilding") as progress:
        for position, length in rebuilding.rebuild(redis, data_version, Gallery(data_version.tolerance)):
            progress.total = length**2 // 2
            progress.update(position**2 // 2 - progress.n)


def _in_force(redis: RedisClient) -> DataVersion:
    """What the data is made with.

    Raises:
        UsageError: it does not say.
        MismatchError: it is of another schema.
    """
    stored = inspection.stored_version(redis)
    tolerance, model = inspection.tolerance(stored), stored[1]
    if tolerance is None or model is None:
        raise UsageError("there is nothing to rebuild: no worker has started with this Redis yet")
    data_version = DataVersion(model.decode(), tolerance)
    data_version.check(stored)
    return data_version
