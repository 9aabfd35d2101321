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
from faces.store import audit
from faces.store import rebuild as rebuilding
from faces.store.basis import Basis
from faces.store.keys import ENCODINGS
from faces.store.link import Link
from faces.values import distance

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
    with closing(Link(settings)) as link:
        if args.abandon:
            rebuilding.abandon(link)
            note("no rebuild is under way; the edges are as they were")
            return 0
        before = _in_force(link)
        after = Basis(before.model, args.tolerance or before.tolerance)
        begun = time.monotonic()
        rebuild(link, after)
        figures = {
            "pictures": audit.size(link, ENCODINGS),
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


def rebuild(link: Link, made_with: Basis) -> None:
    """Rebuild with a progress bar, whose time left counts pairs of faces: they grow with the journal's square.

    Raises:
        MismatchError: a rebuild to something else is under way, or this one was abandoned meanwhile.
        StoreError: Redis is away; calling again goes on.
    """
    with bar(None, "rebuilding") as progress:
        for position, length in rebuilding.rebuild(link, made_with, Gallery(made_with.tolerance)):
            progress.total = length**2 // 2
            progress.update(position**2 // 2 - progress.n)


def _in_force(link: Link) -> Basis:
    """What the data is made with.

    Raises:
        UsageError: it does not say.
        MismatchError: it is of another schema.
    """
    stored = audit.made_with(link)
    tolerance, model = audit.tolerance(stored), stored[1]
    if tolerance is None or model is None:
        raise UsageError("there is nothing to rebuild: no worker has started with this Redis yet")
    basis = Basis(model.decode(), tolerance)
    basis.check(stored)
    return basis
