"""`python -m local`: the whole system on this machine. `./deploy-local-dev.sh` gets here once all is installed."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from pathlib import Path

from faces.config import Settings
from faces.errors import FacefleetError
from local import demo
from local.health_checks import Part
from local.process import ROOT
from local.screen import Screen
from local.system import System

COLOURS = {"ready": "green", "starting": "yellow", "stopped": "red", "away": "red"}
ME = "./deploy-local-dev.sh"


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        0; 1 when it fails; for `status` 3 when anything is not ready, as LSB has it.
    """
    own, passed_on = split(sys.argv[1:] if arguments is None else arguments)
    asked = parser().parse_args(own)
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # its errors reach the person as ours
    screen = Screen(sys.stdout, os.environ)
    try:
        system = System(asked.var.absolute(), os.environ, screen.say)
        commands = Commands(system, screen, asked.workers, passed_on)
        result: int = getattr(commands, asked.command)()
    except (FacefleetError, RuntimeError, OSError) as error:
        sys.stderr.write(f"{ME}: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{ME}: interrupted; run it again and it goes on from here\n")
        return 130
    return result


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(prog=ME, description="Facefleet on this machine.")
    root.add_argument(
        "--var", type=Path, default=ROOT / "var", metavar="FOLDER", help="where data and logs lie"
    )
    commands = root.add_subparsers(dest="command", metavar="COMMAND")
    root.set_defaults(command="up", workers=None)
    for name, about in {
        "up": "start whatever does not run (the default)",
        "restart": "stop, then up",
    }.items():
        command = commands.add_parser(name, help=about)
        command.add_argument(
            "--workers", type=int, metavar="N", help="worker processes; at first one per core"
        )
    commands.add_parser("stop", help="stop everything; workers finish the picture in hand")
    commands.add_parser("status", help="show what runs")
    commands.add_parser("demo", help="send sample photographs and show who matches whom")
    commands.add_parser("logs", help="watch the fleet work: logs [KEY], such as '#.info'", add_help=False)
    commands.add_parser("client", help="run a command of the client on this system", add_help=False)
    return root


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Part our own arguments from those that go to the client as they are."""
    cut = next((at + 1 for at, word in enumerate(arguments) if word in {"client", "logs"}), len(arguments))
    return arguments[:cut], arguments[cut:]


class Commands:
    """What a person can ask for."""

    def __init__(self, system: System, screen: Screen, workers: int | None, passed_on: list[str]) -> None:
        self._system = system
        self._screen = screen
        self._workers = workers
        self._passed_on = passed_on

    def up(self) -> int:
        """Start whatever does not run, and say how to use it."""
        begun = time.monotonic()
        changed = self._system.up(self._workers)
        self._show(self._system.parts())
        took = f"Ready after {time.monotonic() - begun:.1f} s."
        self._screen.say(f"\n{took if changed else 'All of it ran already: nothing was changed.'}\n")
        self._hints(self._system.environment()["REST_URL"])
        return 0

    def restart(self) -> int:
        """Stop everything, and start it with the settings of now."""
        self._system.stop()
        return self.up()

    def stop(self) -> int:
        """Stop everything."""
        stopped = self._system.stop()
        self._screen.say(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing ran.")
        return 0

    def status(self) -> int:
        """Show every part."""
        if not self._system.environment_file.exists():
            self._screen.say(f"Nothing was ever started here: {ME}")
            return 3
        parts = self._system.parts()
        self._show(parts)
        return 0 if all(part.ready for part in parts) else 3

    def demo(self) -> int:
        """Send sample photographs to the system, started if need be, and show who matches whom."""
        self._system.up()
        settings = Settings.read(self._system.environment())
        return demo.run(self._system.folder / "demo", settings.server, settings.api_key, self._screen)

    def logs(self) -> int:
        """Watch the log lines."""
        return self._become_client("logs", *self._passed_on)

    def client(self) -> int:
        """Run a command of the client."""
        return self._become_client(*self._passed_on)

    def _become_client(self, *arguments: str) -> int:
        environ = {**self._system.environment(), "PYTHONPATH": str(ROOT)}
        os.execve(sys.executable, [sys.executable, "-P", "-m", "client", *arguments], environ)  # noqa: S606 -- ours

    def _show(self, parts: list[Part]) -> None:
        self._screen.say()
        self._screen.table(
            ("part", "state", "address", "pid", "log"), [_row(part) for part in parts], COLOURS
        )

    def _hints(self, server: str) -> None:
        lines = {
            "send a picture": f"curl --data-binary @photo.jpg {server}/scan/image/photo.jpg",
            "who else is on it": f"curl {server}/match/$(sha256sum photo.jpg | cut -c 1-64)",
            "watch it work": f"{ME} logs",
            "see it match": f"{ME} demo",
            "more": f"{ME} client --help",
        }
        width = max(map(len, lines))
        for what, command in lines.items():
            self._screen.say(f"  {self._screen.paint(what.ljust(width), 'dim')}   {command}")
        self._screen.say(f"\nThe settings for your own programs: {_short(self._system.environment_file)}")


def _row(part: Part) -> tuple[str, ...]:
    pid, log = (str(part.pid or "-"), _short(part.process.log)) if part.process else ("not ours", "-")
    return part.name, part.state, part.address or "-", pid, log


def _short(path: Path) -> str:
    """A path as a person in this folder would write it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
