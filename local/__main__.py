"""`python -m local`: the whole system on this machine. `./deploy-local-dev.sh` gets here once all is installed."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from pathlib import Path

from client.terminal import DIM, GREEN, RED, YELLOW, paint, table
from faces.config import Settings
from faces.errors import FacefleetError
from local import demo
from local.health_checks import Part
from local.process import ROOT
from local.system import System

COLOURS = {"ready": GREEN, "starting": YELLOW, "stopped": RED, "away": RED}
ME = "./deploy-local-dev.sh"


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        0; 1 when it fails; for `status` 3 when anything is not ready, as LSB has it.
    """
    own, passed_on = split(sys.argv[1:] if arguments is None else arguments)
    asked = parser().parse_args(own)
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # its errors reach the person as ours
    try:
        system = System(asked.var.absolute(), os.environ, say)
        commands = Commands(system, asked.workers, passed_on)
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
        "--var", type=Path, default=ROOT / "var", metavar="FOLDER", help="folder for data and logs"
    )
    commands = root.add_subparsers(dest="command", metavar="COMMAND")
    root.set_defaults(command="up", workers=None)
    for name, about in {
        "up": "start whatever is not running (the default)",
        "restart": "stop, then up",
    }.items():
        command = commands.add_parser(name, help=about)
        command.add_argument(
            "--workers", type=int, metavar="N", help="worker processes; one per core at first"
        )
    commands.add_parser("stop", help="stop everything; workers finish their current picture")
    commands.add_parser("status", help="show what runs")
    commands.add_parser("demo", help="send sample photographs and show who matches whom")
    commands.add_parser("logs", help="watch the fleet work: logs [KEY], such as '#.info'", add_help=False)
    commands.add_parser("facefleet", help="run a facefleet command on this system", add_help=False)
    return root


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Separate our own arguments from those that are passed on unchanged."""
    cut = next((at + 1 for at, word in enumerate(arguments) if word in {"facefleet", "logs"}), len(arguments))
    return arguments[:cut], arguments[cut:]


class Commands:
    """The commands."""

    def __init__(self, system: System, workers: int | None, passed_on: list[str]) -> None:
        self._system = system
        self._workers = workers
        self._passed_on = passed_on

    def up(self) -> int:
        """Start whatever is not running, and say how to use it."""
        begun = time.monotonic()
        changed = self._system.up(self._workers)
        self._show(self._system.parts())
        took = f"Ready after {time.monotonic() - begun:.1f} s."
        say(f"\n{took if changed else 'Everything was already running; nothing changed.'}\n")
        environment = self._system.environment()
        self._hints(environment["REST_URL"])
        if (store := environment["IMAGE_STORE_URL"]).startswith("file://"):
            say(f"Pictures are kept in {_short(Path(store.removeprefix('file://')))}")
        return 0

    def restart(self) -> int:
        """Stop everything and start it with the current settings."""
        self._system.stop()
        return self.up()

    def stop(self) -> int:
        """Stop everything."""
        stopped = self._system.stop()
        say(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")
        return 0

    def status(self) -> int:
        """Show every part."""
        if not self._system.environment_file.exists():
            say(f"Nothing has been started here yet: run {ME}")
            return 3
        parts = self._system.parts()
        self._show(parts)
        return 0 if all(part.ready for part in parts) else 3

    def demo(self) -> int:
        """Send sample photographs to the system, started if need be, and show who matches whom."""
        self._system.up()
        settings = Settings.read(self._system.environment())
        return demo.run(self._system.folder / "demo", settings.server, settings.api_key)

    def logs(self) -> int:
        """Watch the log lines."""
        return self._become_client("logs", *self._passed_on)

    def facefleet(self) -> int:
        """Run a `facefleet` command."""
        return self._become_client(*self._passed_on)

    def _become_client(self, *arguments: str) -> int:
        environ = {**self._system.environment(), "PYTHONPATH": str(ROOT)}
        os.execve(sys.executable, [sys.executable, "-P", "-m", "client", *arguments], environ)  # noqa: S606 -- ours

    def _show(self, parts: list[Part]) -> None:
        rows = [_row(part) for part in parts]
        say("\n" + table(rows, ("part", "state", "address", "pid", "log"), COLOURS))

    def _hints(self, server: str) -> None:
        lines = {
            "open the page": server,
            "send a picture": f"curl --data-binary @photo.jpg {server}/scan/image/photo.jpg",
            "see who matches": f"curl {server}/match/$(sha256sum photo.jpg | cut -c 1-64)",
            "watch the log": f"{ME} logs",
            "run the demo": f"{ME} demo",
            "more": f"{ME} facefleet --help",
        }
        width = max(map(len, lines))
        for what, command in lines.items():
            say(f"  {paint(what.ljust(width), DIM)}   {command}")
        say(f"\nSettings for your own programs: {_short(self._system.environment_file)}")


def say(text: str = "") -> None:
    """Print a line at once."""
    print(text, flush=True)


def _row(part: Part) -> tuple[str, ...]:
    pid, log = (str(part.pid or "-"), _short(part.process.log)) if part.process else ("not ours", "-")
    return part.name, part.state, part.address or "-", pid, log


def _short(path: Path) -> str:
    """A path as a person in this folder would write it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
