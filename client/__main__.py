"""The `facefleet` command; `python -m client` is the same."""

from __future__ import annotations

import importlib
import io
import logging
import os
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Protocol, cast

from client.terminal import note
from faces.config import Settings
from faces.errors import FacefleetError
from faces.process.until_stopped import when_stopped

COMMANDS = {
    "scan": "client.commands.scan",
    "watch": "client.commands.watch",
    "import": "client.commands.imports",
    "match": "client.commands.match",
    "people": "client.commands.people",
    "status": "client.commands.status",
    "logs": "client.commands.logs",
    "check": "client.commands.check",
    "erase": "client.commands.erase",
    "rebuild": "client.commands.rebuild",
    "calibrate": "client.commands.calibrate",
    "dead": "client.commands.dead",
    "reconcile": "client.commands.reconcile",
    "keys": "client.commands.keys",
}
"""Each command's module, imported when it is needed: all together take half a second."""


class Command(Protocol):
    """A module of `client.commands`."""

    HELP: str

    def arguments(self, parser: ArgumentParser) -> None:
        """Describe the command's arguments."""

    def run(self, args: Namespace, settings: Settings) -> int:
        """Run it; return its exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        Its exit code: 0 if all is well, 1 if it found something wrong, 2 if it could not run, 130 if interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # its errors are reported as ours
    words = sys.argv[1:] if argv is None else argv
    args = parser(words[:1]).parse_args(words)
    try:
        return _command(args.command).run(args, Settings.read())
    except FacefleetError as error:
        note(f"facefleet: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser(first: Sequence[str] = ()) -> ArgumentParser:
    """Describe the arguments of the command that is the first word; without one, of every command."""
    made = ArgumentParser(prog="facefleet", description="Find every picture that shows the same face.")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS.keys() & first or COMMANDS:
        command = _command(name)
        about = f"{command.HELP[0].upper()}{command.HELP[1:]}."
        command.arguments(commands.add_parser(name, help=command.HELP, description=about))
    return made


def _command(name: str) -> Command:
    return cast("Command", importlib.import_module(COMMANDS[name]))


def process() -> int:
    """Run as a process: SIGINT and SIGTERM end a command cleanly, even if the shell ignores SIGINT."""
    when_stopped(signal.default_int_handler)
    return main()


if __name__ == "__main__":
    sys.exit(process())
