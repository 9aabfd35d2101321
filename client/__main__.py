"""The `facefleet` command; `python -m client` is the same."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from client.commands import (
    calibrate,
    check,
    dead,
    erase,
    imports,
    keys,
    logs,
    match,
    people,
    rebuild,
    reconcile,
    scan,
    status,
    watch,
)
from client.terminal import note
from faces.config import Settings
from faces.errors import FacefleetError

COMMANDS = {
    "scan": scan,
    "watch": watch,
    "import": imports,
    "match": match,
    "people": people,
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
        Its exit code: 0 if all is well, 1 if it found something wrong, 2 if it could not run, 130 if interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # its errors are reported as ours
    args = parser().parse_args(argv)
    try:
        return int(COMMANDS[args.command].run(args, Settings.read()))
    except FacefleetError as error:
        note(f"facefleet: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser() -> ArgumentParser:
    """Describe every command's arguments."""
    made = ArgumentParser(prog="facefleet", description="Find every picture that shows the same face.")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.arguments(
            commands.add_parser(
                name, help=command.HELP, description=f"{command.HELP[0].upper()}{command.HELP[1:]}."
            )
        )
    return made


def process() -> int:
    """Run as a process: SIGINT and SIGTERM end a command cleanly, even if the shell ignores SIGINT."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    return main()


if __name__ == "__main__":
    sys.exit(process())
