"""`facefleet import`: pictures with their people's names. Sends over HTTP; states whom they show in Redis."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from client.delivery import Delivery
from client.errors import ServerError, UsageError
from client.idle_timeout import IdleTimeout
from client.importing import layouts
from client.importing.choosing import choose, wait_until_grouped
from client.importing.origins import Origin, from_compreface, in_folder
from client.importing.report import Report
from client.importing.stating import state
from client.sending import Picture
from client.server import Server
from client.sources import Source, hash_of
from client.terminal import bar, note
from faces.config import Settings
from faces.formats.signatures import suffixes_of
from faces.parsers import positive, seconds
from faces.store.client import RedisClient
from faces.store.collection import inspection
from faces.store.people import statements

HELP = "send pictures with the names of the people in them, and state whom they show"
LAYOUTS = {"folders": layouts.by_folder, "files": layouts.by_file_name}


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    origins = parser.add_subparsers(dest="origin", required=True, metavar="ORIGIN")
    folders = origins.add_parser("folders", help="a folder with a folder for each person: Ann Lee/1.jpg")
    files = origins.add_parser("files", help="a folder of files named after people: Ann Lee.jpg, bob_2.jpg")
    compreface = origins.add_parser("compreface", help="the face collection of a CompreFace service")
    for local in (folders, files):
        local.add_argument("folder", metavar="FOLDER", type=Path, help="where the pictures are")
    compreface.add_argument("url", metavar="URL", help="CompreFace's address: http://localhost:8000")
    about = "file with the API key of the recognition service"
    compreface.add_argument("--key-file", type=Path, required=True, metavar="FILE", help=about)
    about = "folder to download the pictures to; what is there is not fetched again"
    compreface.add_argument("--into", type=Path, required=True, metavar="FOLDER", help=about)
    for origin in (folders, files, compreface):
        about = "give up after this long without progress (%(default)g)"
        origin.add_argument("--timeout", type=seconds, default=300.0, metavar="SECONDS", help=about)
        about = "concurrent requests (%(default)s)"
        origin.add_argument("--threads", type=positive, default=4, metavar="N", help=about)
        origin.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: Namespace, settings: Settings) -> int:
    """Send, wait, state and report; 1 if a picture is left out."""
    idle_timeout = IdleTimeout(args.timeout)
    delivery = Delivery(Server(settings.server, settings.api_key), idle_timeout)
    with closing(RedisClient(settings)) as redis:
        delivery.server.check()
        if not statements.groups_process_runs(redis):
            raise UsageError(
                "statements need the groups process, which is not running: start `python -m groups`"
            )
        labelled, left = _labelled(args, settings, idle_timeout)
        _deliver(redis, delivery, [one.source for one in labelled], args.threads, settings.largest_picture)
        chosen = choose(redis, labelled, delivery.pictures)
        wait_until_grouped(redis, chosen.names, idle_timeout)
        outcomes = []
        with bar(len(chosen.faces), "stating") as progress:
            for outcome in state(redis, chosen.faces):
                outcomes.append(outcome)
                progress.update()
    report = Report.of(outcomes, chosen.names, [*left, *chosen.left])
    report.show(as_json=args.json)
    return 1 if report.left else 0


def _labelled(args: Namespace, settings: Settings, idle_timeout: IdleTimeout) -> Origin:
    if args.origin == "compreface":
        return from_compreface(args.url, args.key_file, args.into, idle_timeout)
    return in_folder(args.folder, LAYOUTS[args.origin], suffixes_of(settings.picture_formats))


def _deliver(
    redis: RedisClient, delivery: Delivery, sources: Sequence[Source], threads: int, largest: int
) -> None:
    """Send what is not known under its name, and wait for all."""
    known = dict(_known(redis, sources))
    delivery.pictures.extend(known.values())
    new = [source for source in sources if source.name not in known]
    try:
        delivery.send(new, len(new), threads=threads, largest=largest)
        delivery.wait()
    except ServerError as error:
        note(f"{error}; what was stated so far is kept: import again for the rest")


def _known(redis: RedisClient, sources: Sequence[Source]) -> Iterator[tuple[str, Picture]]:
    """Yield the pictures that are in the fleet with the same bytes under the same name."""
    for start in range(0, len(sources), inspection.PIECE):
        piece = sources[start : start + inspection.PIECE]
        names = [source.name.encode(errors="surrogateescape") for source in piece]
        for source, owner in zip(piece, inspection.owners(redis, names), strict=True):
            if owner is not None and source.path is not None:
                picture_id = owner.decode()
                if hash_of(source.path) == picture_id:
                    yield source.name, Picture(source.name, picture_id, state="accepted")
