"""The addresses of the parts: chosen once, and kept in a file that later runs and shells read."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local.process import free_port, until

# Default ports of each part. RabbitMQ's second and third are internal, and differ from those of a node that
# Debian's package may have started.
PORTS = {
    "redis": {"REDIS_PORT": 6379},
    "rabbitmq": {"RABBITMQ_PORT": 5672, "RABBITMQ_DIST_PORT": 25673, "ERL_EPMD_PORT": 4370},
    "rest": {"REST_PORT": 5000},
    "rpc": {"RPC_PORT": 50051},
}
INTERNAL = {"RABBITMQ_DIST_PORT", "ERL_EPMD_PORT"}
SERVERS = ("redis", "rabbitmq")
# What a foreign server may require and ours does not; an empty variable counts as unset.
ACCESS = {
    "redis": ("REDIS_USERNAME", "REDIS_PASSWORD", "REDIS_TLS", "REDIS_CA", "REDIS_CERT"),
    "rabbitmq": (
        *("RABBITMQ_USER", "RABBITMQ_PASSWORD", "RABBITMQ_VHOST"),
        *("RABBITMQ_TLS", "RABBITMQ_CA", "RABBITMQ_CERT"),
    ),
}
LINGERING = 3.0  # seconds
ANY_ADDRESS = {"", "0.0.0.0", "::"}  # noqa: S104 -- what an operator may listen on


@dataclass(frozen=True)
class Places:
    """The environment that connects the parts, which servers are ours, and how many workers run."""

    environment: Mapping[str, str]
    ours: frozenset[str]
    workers: int

    def port(self, variable: str) -> int:
        """Return a port; 0 if there is none."""
        return int(self.environment.get(variable) or 0)

    def write(self, file: Path) -> None:
        """Write the addresses as lines that a shell can read too."""
        more = {"LOCAL_SERVERS": " ".join(sorted(self.ours)), "LOCAL_WORKERS": str(self.workers)}
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in {**self.environment, **more}.items()]
        part = file.with_name(f"{file.name}.part")
        part.write_text("".join(lines))
        part.replace(file)


def read(file: Path) -> Places:
    """Read the addresses that an earlier run wrote; empty if there was none."""
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
    """Choose the addresses: those in the environment, else the previous ones, else the defaults.

    A server that the environment names is used. A running server of ours keeps its port; a stopped one moves to a
    free port if its own is taken.

    Returns:
        The addresses, and the ports that were taken, by variable.
    """
    ours = frozenset(name for name in SERVERS if not _foreign(name, environ, before))
    chosen: dict[str, str] = {}
    taken: dict[str, str] = {}
    for name in SERVERS:
        chosen |= _access(name) if name in ours else _given(name, environ)
    for name in (*ours, "rest", "rpc"):
        for variable, usual in PORTS[name].items():
            remembered = before.environment.get(variable)
            wishes = [wish for wish in (environ.get(variable), remembered, str(usual)) if wish]
            stays = remembered if name in running else None
            chosen[variable] = stays or _free(wishes, remembered)
            if chosen[variable] != wishes[0] and variable not in INTERNAL:
                taken[variable] = wishes[0]
    chosen["REST_URL"] = _address(environ.get("REST_HOST", ""), chosen["REST_PORT"])
    chosen["IMAGE_STORE_URL"] = environ.get("IMAGE_STORE_URL", f"file://{images}")
    chosen["IMAGE_STORE_KEEPS"] = environ.get("IMAGE_STORE_KEEPS", "both")
    return Places(chosen, ours, workers or before.workers or _cores()), taken


def _free(wishes: Sequence[str], remembered: str | None) -> str:
    """Return the first free port of some, else any free one."""
    for wish in wishes:
        # A killed process of ours may hold its port for a moment longer.
        timeout = LINGERING if wish == remembered else 0.0
        if until(partial(_is_free, int(wish)), timeout):
            return wish
    return str(free_port())


def _is_free(port: int) -> bool:
    return free_port(port) == port


def _foreign(name: str, environ: Mapping[str, str], before: Places) -> bool:
    """Tell whether the environment names a foreign server: it may also hold what we wrote for the shell."""
    named = _given(name, environ)
    remembered = {variable: before.environment.get(variable) for variable in named}
    return bool(environ.get(f"{name.upper()}_HOST")) and not (name in before.ours and named == remembered)


def _given(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Host and port of a foreign server. Its password stays in the environment and is not written to the file."""
    host, port = f"{name.upper()}_HOST", f"{name.upper()}_PORT"
    return {host: environ.get(host, ""), port: environ.get(port) or str(PORTS[name][port])}


def _access(name: str) -> dict[str, str]:
    return {f"{name.upper()}_HOST": "127.0.0.1", **dict.fromkeys(ACCESS[name], "")}


def _address(host: str, port: str) -> str:
    return f"http://{'127.0.0.1' if host in ANY_ADDRESS else host}:{port}"


def _cores() -> int:
    return len(os.sched_getaffinity(0))
