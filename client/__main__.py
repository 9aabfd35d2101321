"""`facefleet`, or `python -m client`: what a person at a terminal runs."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from client.commands import calibrate, check, dead, erase, keys, logs, match, rebuild, reconcile, scan, status
from client.terminal import note
from faces.config import Settings
from faces.errors import FacefleetError

COMMANDS = {
    "scan": scan,
    "match": match,
    "status": status,
    "logs": logs,
    "check": check,
    "erase": erase,
    "rebuild": rebuild,
    "calibrate": calibrate,
    "dead": dead,
    "reconcile": reconcile,
    "keys": keys,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        Its exit code: 0 when all is well, 1 when it found something wrong, 2 when it could not do its work, 130
        when it was interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # its errors reach the person as ours
    args = _parser().parse_args(argv)
    try:
        return int(COMMANDS[args.command].run(args, Settings.read()))
    except FacefleetError as error:
        note(f"facefleet: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="facefleet", description="Tells which pictures show the same face.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.arguments(
            commands.add_parser(
                name, help=command.HELP, description=f"{command.HELP[0].upper()}{command.HELP[1:]}."
            )
        )
    return parser


def process() -> int:
    """Run as a process: SIGINT and SIGTERM end a command in order, also where a shell has SIGINT ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    return main()


if __name__ == "__main__":
    sys.exit(process())
