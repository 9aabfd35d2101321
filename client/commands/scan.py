"""`facefleet scan`: send pictures and wait until they are processed."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

from client.delivery import Delivery
from client.errors import ServerError, UsageError
from client.frames import is_video, with_frames
from client.idle_timeout import IdleTimeout
from client.sending import Picture
from client.server import Server
from client.sources import find
from client.terminal import BOLD, GREEN, RED, note, paint, printable, table
from faces.config import Settings
from faces.documents import to_json
from faces.formats.signatures import suffixes_of
from faces.formats.videos import SUFFIXES
from faces.parsers import positive, seconds
from video.extraction import Limits, check_installed

HELP = "send pictures, folders, URLs or videos, and wait until they are processed"
LISTED = 20  # failures shown; --json has all


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    idle_timeout = "give up after this long without progress (%(default)s)"
    parser.add_argument("targets", metavar="PATH|FOLDER|URL", nargs="+", help="what to send")
    parser.add_argument("--videos", action="store_true", help="send frames of the videos in folders, too")
    parser.add_argument("--no-wait", action="store_true", help="return once everything is accepted")
    parser.add_argument("--timeout", type=seconds, default=300.0, metavar="SECONDS", help=idle_timeout)
    parser.add_argument(
        "--threads", type=positive, default=4, metavar="N", help="concurrent requests (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


@dataclass
class Result:
    """The state of all pictures that were sent."""

    pictures: list[Picture]
    begun: float = field(default_factory=time.monotonic)

    def count(self, *states: str) -> int:
        """Count the pictures in one of these states."""
        return sum(picture.state in states for picture in self.pictures)

    def summary(self) -> dict[str, float]:
        """Return the totals; faces are counted once per distinct picture."""
        took = time.monotonic() - self.begun
        new = {p.hash for p in self.pictures if p.new}
        different = {p.hash: p.faces for p in self.pictures if p.hash}
        return {
            "sent": sum(p.hash is not None for p in self.pictures),
            "new": len(new),
            "known": len(different) - len(new),
            "done": self.count("done"),
            "failed": self.count("failed", "refused"),
            "unfinished": self.count("accepted"),
            "faces": sum(different.values()),
            "seconds": round(took, 3),
            "pictures_per_second": round(len(self.pictures) / took, 3),
        }


def run(args: Namespace, settings: Settings) -> int:
    """Send and wait; 1 if a picture failed, or was not finished in time."""
    suffixes = suffixes_of(settings.picture_formats) | (SUFFIXES if args.videos else frozenset())
    sources = find(args.targets, suffixes)
    if not sources:
        raise UsageError(f"no pictures ({', '.join(sorted(suffixes))}) in {', '.join(args.targets)}")
    delivery = Delivery(Server(settings.server, settings.api_key), IdleTimeout(args.timeout))
    result = Result(delivery.pictures)
    delivery.server.check()
    films = any(map(is_video, sources))
    if films:
        check_installed()
    try:
        delivery.send(
            with_frames(sources, Limits.of(settings)),
            None if films else len(sources),
            threads=args.threads,
            largest=settings.largest_picture,
        )
        if not args.no_wait:
            delivery.wait()
    except ServerError as error:
        note(str(error))
    except KeyboardInterrupt:
        note(f"interrupted: {result.count('accepted')} accepted pictures are still being processed")
        return 130
    _show(result, as_json=args.json)
    unfinished = 0 if args.no_wait else result.count("accepted")
    return 1 if unfinished or result.count("failed", "refused") else 0


def _show(result: Result, *, as_json: bool) -> None:
    summary = result.summary()
    if as_json:
        print(to_json({**summary, "pictures": [asdict(picture) for picture in result.pictures]}))
        return
    failed = [picture for picture in result.pictures if picture.state in {"failed", "refused"}]
    print(table(_rows(summary)))
    if failed:
        _list(failed)
    elif not result.count("accepted"):
        print(paint("all done", GREEN))


def _rows(summary: dict[str, float]) -> Iterable[Sequence[object]]:
    yield "sent", summary["sent"], f"{summary['new']:,} new, {summary['known']:,} already known"
    yield "done", summary["done"]
    yield "failed", summary["failed"]
    if summary["unfinished"]:
        yield "unfinished", summary["unfinished"], "accepted; still being processed"
    yield "faces", summary["faces"]
    yield "seconds", round(summary["seconds"], 1), f"{summary['pictures_per_second']:.1f} pictures per second"


def _list(failed: Sequence[Picture]) -> None:
    print(paint("failed:", BOLD))
    for picture in failed[:LISTED]:
        print(f"  {paint(printable(picture.name), RED)}  {picture.code}: {printable(picture.reason or '')}")
    if len(failed) > LISTED:
        print(f"  and {len(failed) - LISTED:,} more; --json lists all")
