"""Where the parts are reached: chosen once, and remembered in a file that later runs and shells read."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local.process import free_port, until

# The ports of each part and where they lie unless something else sits there. RabbitMQ's second and third are
# for its own use; they stay clear of the node that Debian's package may have started.
PORTS = {
    "redis": {"REDIS_PORT": 6379},
    "rabbitmq": {"RABBITMQ_PORT": 5672, "RABBITMQ_DIST_PORT": 25673, "ERL_EPMD_PORT": 4370},
    "rest": {"REST_PORT": 5000},
}
INTERNAL = {"RABBITMQ_DIST_PORT", "ERL_EPMD_PORT"}
SERVERS = ("redis", "rabbitmq")
# What another's server may ask for and ours does not; an empty variable counts as absent.
ACCESS = {
    "redis": ("REDIS_USERNAME", "REDIS_PASSWORD", "REDIS_TLS", "REDIS_CA", "REDIS_CERT"),
    "rabbitmq": (
        *("RABBITMQ_USER", "RABBITMQ_PASSWORD", "RABBITMQ_VHOST"),
        *("RABBITMQ_TLS", "RABBITMQ_CA", "RABBITMQ_CERT"),
    ),
}
LINGERING = 3.0  # seconds
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
    chosen: dict[str, str] = {}
    taken: dict[str, str] = {}
    for name in SERVERS:
        chosen |= _access(name) if name in ours else _given(name, environ)
    for name in (*ours, "rest"):
        for variable, usual in PORTS[name].items():
            remembered = before.environment.get(variable)
            wishes = [wish for wish in (environ.get(variable), remembered, str(usual)) if wish]
            stays = remembered if name in running else None
            chosen[variable] = stays or _free(wishes, remembered)
            if chosen[variable] != wishes[0] and variable not in INTERNAL:
                taken[variable] = wishes[0]
    chosen["REST_URL"] = _address(environ.get("REST_HOST", ""), chosen["REST_PORT"])
    chosen["IMAGE_STORE_URL"] = environ.get("IMAGE_STORE_URL", f"file://{images}")
    return Places(chosen, ours, workers or before.workers or _cores()), taken


def _free(wishes: Sequence[str], remembered: str | None) -> str:
    """The first of some ports that is free, else any that is."""
    for wish in wishes:
        # A process of ours that was killed may have left another that holds its port for a moment.
        patience = LINGERING if wish == remembered else 0.0
        if until(partial(_is_free, int(wish)), patience):
            return wish
    return str(free_port())


def _is_free(port: int) -> bool:
    return free_port(port) == port


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
