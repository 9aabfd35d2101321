"""`facefleet watch`: send what appears in a folder."""

from __future__ import annotations

import logging
import time
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from pathlib import Path

from client.errors import UsageError
from client.idle_timeout import IdleTimeout
from client.server import Server
from client.watching.aftermath import Aftermath, delete, move_to
from client.watching.notices import TICK, notices
from client.watching.record import Record
from client.watching.settling import Settling
from client.watching.watcher import Folder, Watcher
from faces.config import Settings
from faces.formats.signatures import suffixes_of
from faces.parsers import positive, seconds
from faces.process import process_log

HELP = "send the pictures that appear in a folder, each once it is complete"
RECORD = ".facefleet-watch"  # hidden, so never taken for a picture

log = logging.getLogger(__name__)


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="what to watch, with all folders in it")
    parser.add_argument(
        "--once", action="store_true", help="send what is there, wait until it is done, and end"
    )
    done = parser.add_mutually_exclusive_group()
    done.add_argument("--delete", action="store_true", help="delete each file whose picture is done")
    about = "move each file whose picture is done to this folder"
    done.add_argument("--move-to", type=Path, metavar="FOLDER", help=about)
    about = "send pictures that failed or were refused before once more"
    parser.add_argument("--retry", action="store_true", help=about)
    about = f"where to keep what was sent (FOLDER/{RECORD})"
    parser.add_argument("--state", type=Path, metavar="FILE", help=about)
    about = "a file that has not changed for this long is complete (%(default)g)"
    parser.add_argument("--settle", type=seconds, default=2.0, metavar="SECONDS", help=about)
    about = "scan the whole folder this often, because network shares report no changes (%(default)g)"
    parser.add_argument("--poll", type=seconds, default=60.0, metavar="SECONDS", help=about)
    about = "with --once: give up after this long without progress (%(default)g)"
    parser.add_argument("--timeout", type=seconds, default=300.0, metavar="SECONDS", help=about)
    about = "concurrent requests (%(default)s)"
    parser.add_argument("--threads", type=positive, default=4, metavar="N", help=about)


def run(args: Namespace, settings: Settings) -> int:
    """Watch until interrupted. With --once, 1 if a picture failed or was not done in time."""
    path = args.folder.resolve()
    if not path.is_dir():
        raise UsageError(f"no such folder: {args.folder}")
    folder = Folder(
        path=path, suffixes=suffixes_of(settings.picture_formats), largest=settings.largest_picture
    )
    aftermath = _aftermath(args, path)
    process_log.install(settings)
    with Record(args.state or path / RECORD) as record:
        if args.retry:
            record.forget_failures()
        server, settling = Server(settings.server, settings.api_key), Settling(args.settle)
        watcher = Watcher(server, folder, record, settling, aftermath=aftermath, threads=args.threads)
        if args.once:
            return _once(watcher, path, args.timeout)
        with suppress(KeyboardInterrupt):  # how it is ended
            _follow(watcher, path, args.poll)
    return 0


def _aftermath(args: Namespace, folder: Path) -> Aftermath | None:
    if args.delete:
        return delete
    if args.move_to is None:
        return None
    if args.move_to.resolve().is_relative_to(folder):
        raise UsageError(
            f"{args.move_to} is inside {args.folder}, which is watched: name a folder outside it"
        )
    return move_to(args.move_to.resolve())


def _once(watcher: Watcher, folder: Path, timeout: float) -> int:
    """Send all that is there and wait for it."""
    idle_timeout = IdleTimeout(timeout)
    watcher.look([folder])
    while watcher.busy and idle_timeout.left:
        if watcher.step():
            idle_timeout.renew()
        else:
            time.sleep(TICK)
    if watcher.busy:
        log.warning("gave up after %g s without progress", timeout)
    return 0 if watcher.report.clean and not watcher.busy else 1


def _follow(watcher: Watcher, folder: Path, poll: float) -> None:
    """Send what changes, for ever."""
    due = 0.0
    for changed in notices(folder):
        if time.monotonic() < due:
            watcher.look(changed)
        else:
            due = time.monotonic() + poll
            watcher.look([folder])
        watcher.step()
