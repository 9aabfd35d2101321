"""Where the parts are reached: chosen once, and remembered in a file that later runs and shells read."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from local.process import free_port

# The ports of each part and where they lie unless something else sits there. RabbitMQ's second and third are
# for its own use; they stay clear of the node that Debian's package may have started.
PORTS = {
    "redis": {"REDIS_PORT": 6379},
    "rabbitmq": {"RABBITMQ_PORT": 5672, "RABBITMQ_DIST_PORT": 25673, "ERL_EPMD_PORT": 4370},
    "rest": {"REST_PORT": 5000},
}
SERVERS = ("redis", "rabbitmq")
# What another's server may ask for and ours does not; an empty variable counts as absent.
ACCESS = {
    "redis": ("REDIS_USERNAME", "REDIS_PASSWORD"),
    "rabbitmq": ("RABBITMQ_USER", "RABBITMQ_PASSWORD", "RABBITMQ_VHOST"),
}
ANY_ADDRESS = {"", "0.0.0.0", "::"}  # noqa: S104 -- what a person may have chosen to listen on


@dataclass(frozen=True)
class Places:
    """The environment that tells the parts of each other, which servers are ours, and how many workers run."""

    environment: Mapping[str, str]
    ours: frozenset[str]
    workers: int

    def port(self, variable: str) -> int:
        """A port; 0 where there is none."""
        return int(self.environment.get(variable) or 0)

    def write(self, file: Path) -> None:
        """Remember the places, as lines that a shell can read too."""
        more = {"LOCAL_SERVERS": " ".join(sorted(self.ours)), "LOCAL_WORKERS": str(self.workers)}
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in {**self.environment, **more}.items()]
        part = file.with_name(f"{file.name}.part")
        part.write_text("".join(lines))
        part.replace(file)


def read(file: Path) -> Places:
    """Read the places that an earlier run remembered; empty ones if there was none."""
    found: dict[str, str] = {}
    with suppress(FileNotFoundError):
        words = shlex.split(file.read_text())
        found = dict(word.split("=", 1) for word in words if "=" in word)
    ours, workers = found.pop("LOCAL_SERVERS", ""), found.pop("LOCAL_WORKERS", "0")
    return Places(found, frozenset(ours.split()), int(workers))


def choose(
    environ: Mapping[str, str],
    before: Places,
    *,
    running: Collection[str],
    workers: int | None,
    images: Path,
) -> tuple[Places, dict[str, str]]:
    """Choose the places: as the environment asks, else as before, else the usual ones.

    A server that the environment names is used. Ours stay where they are while they run; one that does not
    run moves to a free port if its own was taken.

    Returns:
        The places, and the ports that were taken, by their variables.
    """
    ours = frozenset(name for name in SERVERS if not _foreign(name, environ, before))
    asked = {
        **{v: str(p) for ports in PORTS.values() for v, p in ports.items()},
        **before.environment,
        **environ,
    }
    chosen: dict[str, str] = {}
    for name in SERVERS:
        chosen |= _access(name) if name in ours else _given(name, environ)
    for name in (*ours, "rest"):
        kept = before.environment if name in running else {}
        chosen |= {v: kept.get(v) or str(free_port(int(asked[v]))) for v in PORTS[name]}
    chosen["REST_URL"] = _address(environ.get("REST_HOST", ""), chosen["REST_PORT"])
    chosen["IMAGE_STORE_URL"] = environ.get("IMAGE_STORE_URL", f"file://{images}")
    reached = [f"{name.upper()}_PORT" for name in (*ours, "rest")]
    taken = {variable: asked[variable] for variable in reached if chosen[variable] != asked[variable]}
    return Places(chosen, ours, workers or before.workers or _cores()), taken


def _foreign(name: str, environ: Mapping[str, str], before: Places) -> bool:
    """Tell whether the environment names a server, and not ours: it may be what we wrote for the shell."""
    named = _given(name, environ)
    remembered = {variable: before.environment.get(variable) for variable in named}
    return bool(environ.get(f"{name.upper()}_HOST")) and not (name in before.ours and named == remembered)


def _given(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Host and port of another's server. Its password stays in the environment: it is not written down."""
    host, port = f"{name.upper()}_HOST", f"{name.upper()}_PORT"
    return {host: environ.get(host, ""), port: environ.get(port) or str(PORTS[name][port])}


def _access(name: str) -> dict[str, str]:
    return {f"{name.upper()}_HOST": "127.0.0.1", **dict.fromkeys(ACCESS[name], "")}


def _address(host: str, port: str) -> str:
    return f"http://{'127.0.0.1' if host in ANY_ADDRESS else host}:{port}"


def _cores() -> int:
    return len(os.sched_getaffinity(0))
