"""`facefleet rebuild`: all matches anew, with another tolerance or model or to mend them, while the fleet works."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack, closing

from client.errors import UsageError
from client.gallery import Gallery
from client.reencoding import Reencoders
from client.terminal import bar, note, table
from faces.config import Settings
from faces.documents import to_json
from faces.parsers import distance, positive
from faces.store.client import RedisClient
from faces.store.collection import commit_lock, inspection, models
from faces.store.collection import rebuild as rebuilding
from faces.store.collection.data_version import DataVersion
from faces.store.keys import ENCODINGS

HELP = "compute all matches anew, with another tolerance or model or to mend them, while the fleet works"
STALLED, GIVE_UP = 25, 150  # tries of 0.02 s: then workers are held back, for less than they wait at most
TRY = 0.02  # seconds


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    about = "largest distance of a match from now on (default: unchanged)"
    parser.add_argument("--tolerance", type=distance, metavar="T", help=about)
    about = "encode all originals by another model, named as in MODEL, then switch to it"
    parser.add_argument("--model", metavar="NAME|FILE.dat", help=about)
    about = "processes that encode (default: %(default)s); each takes a core"
    parser.add_argument("--processes", type=positive, default=1, metavar="N", help=about)
    about = "give up a rebuild that was interrupted; without this, running it again goes on with it"
    parser.add_argument("--abandon", action="store_true", help=about)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: Namespace, settings: Settings) -> int:
    """Rebuild, or give a rebuild up."""
    with closing(RedisClient(settings)) as redis:
        if args.abandon:
            rebuilding.abandon(redis)
            models.abandon(redis)
            note("no rebuild is in progress; the matches are unchanged")
            return 0
        before = _in_force(redis)
        tolerance = args.tolerance or before.tolerance
        begun = time.monotonic()
        if args.model:
            after = _go_over(redis, settings, args.model, tolerance, args.processes)
        else:
            after = DataVersion(before.model, tolerance)
            rebuild(redis, after)
        figures = {
            "pictures": inspection.size(redis, ENCODINGS),
            "model": after.model,
            "tolerance": after.tolerance,
            "before": before.tolerance,
            "seconds": round(time.monotonic() - begun, 1),
        }
    print(to_json(figures) if args.json else table(figures.items()))
    if after != before:
        model = f"MODEL={args.model} and " if args.model else ""
        note(
            f"restart the workers with {model}MATCH_TOLERANCE={after.tolerance:g}: "
            "a worker with other settings stops at its next commit and loses nothing"
        )
    return 0


def _go_over(
    redis: RedisClient, settings: Settings, model: str, tolerance: float, processes: int
) -> DataVersion:
    """Encode all faces by another model beside the fleet, then switch to it.

    Raises:
        UsageError: there are no originals, or not all.
        MismatchError: another model is being gone over to, or another rebuild is under way.
        StoreError: Redis is unavailable; calling again goes on.
    """
    if not settings.keeps_originals:
        raise UsageError(
            "rebuild --model encodes the original pictures again, and none are kept: IMAGE_STORE_URL is not set, "
            "or IMAGE_STORE_KEEPS is crops. Set both as the server has them; if it keeps no originals, start with "
            "an empty Redis, "
            f"workers with MODEL={model}, and scan the pictures again"
        )
    with Reencoders(model, processes) as reencoders:
        after = DataVersion(reencoders.wait(redis), tolerance)
        models.announce(redis, after.model)
        rebuild(redis, after, reencoders)
    return after


def rebuild(redis: RedisClient, data_version: DataVersion, reencoders: Reencoders | None = None) -> None:
    """Rebuild with a progress bar, whose time left counts pairs of faces: they grow with the journal's square.

    For another model, `reencoders` keep up with what the fleet commits meanwhile. On a busy fleet there is always a
    picture that they have yet to encode; then commits are held back for a moment.

    Raises:
        UsageError: the reencoders could not encode a picture.
        MismatchError: a rebuild to something else is under way, or this one was abandoned meanwhile.
        StoreError: Redis is unavailable; calling again goes on.
    """
    steps = rebuilding.rebuild(
        redis, data_version, Gallery(data_version.tolerance), patient=reencoders is not None
    )
    before, stalled = -1, 0
    with bar(None, "rebuilding") as progress, ExitStack() as pause:
        for position, length in steps:
            progress.total = length**2 // 2
            progress.update(position**2 // 2 - progress.n)
            if position > before or reencoders is None:
                before = position
                continue
            reencoders.check()
            stalled += 1
            if stalled == STALLED:
                pause.enter_context(commit_lock.held(redis))
            elif stalled == GIVE_UP:
                pause.close()
                stalled = 0
            time.sleep(TRY)


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
