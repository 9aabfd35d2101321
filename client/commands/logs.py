"""`facefleet logs`: watch the fleet work."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from client.log_lines import document_of, is_about, is_failure, readable
from client.tail import follow
from client.terminal import note
from faces.config import Settings

HELP = "watch the whole fleet's log lines until Ctrl-C"


def arguments(parser: ArgumentParser) -> None:
    """Describe the command's arguments."""
    about = "which lines: #.info, #.worker.info, somehost.# (default: all)"
    parser.add_argument("binding", metavar="BINDING", nargs="?", default="#", help=about)
    parser.add_argument(
        "--failures",
        action="store_true",
        help="only failures: of pictures, attempts and requests",
    )
    parser.add_argument(
        "--hash", default="", help="only lines about one picture; the first digits of its hash suffice"
    )
    parser.add_argument("--raw", action="store_true", help="print each line exactly as it was published")


def run(args: Namespace, settings: Settings) -> int:
    """Print lines as they come."""
    try:
        for line in follow(settings, args.binding, note):
            if line is None or not _wanted(line.body, args):
                continue
            if args.raw:
                sys.stdout.buffer.write(line.body + b"\n")
            else:
                print(readable(line.key, line.body))
            sys.stdout.flush()
    except KeyboardInterrupt:
        pass  # the usual way to leave
    return 0


def _wanted(body: bytes, args: Namespace) -> bool:
    if not (args.failures or args.hash):
        return True
    document = document_of(body)
    return (
        document is not None and (not args.failures or is_failure(document)) and is_about(document, args.hash)
    )
