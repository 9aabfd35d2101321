"""The demo: sample photographs sent to the running system over HTTP, as any client would send them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client.server import Server
from client.terminal import GREEN, RED, bar, paint, table
from local.photographs import fetch_photographs, present

OBAMA = {"obama.jpg", "obama2.jpg", "obama3.jpg"}
SHOWN = {
    "obama.jpg": "Barack Obama",
    "obama2.jpg": "Barack Obama",
    "obama3.jpg": "Barack Obama",
    "biden.jpg": "Joe Biden",
    "astronaut.png": "Eileen Collins",
    "chelsea.png": "a cat",
    "coffee.png": "a cup of coffee",
    "rocket.jpg": "a rocket",
}
HALVES = {
    "obama_partial_face.jpg": "half of Barack Obama's face",
    "obama_partial_face2.jpg": "the other half",
}
PREFIX = "demo/"  # keeps these pictures apart from a person's own
TIMEOUT = 300.0  # seconds for all pictures


@dataclass(frozen=True)
class Result:
    """A processed picture: `matches` are the other pictures of the demo with a matching face."""

    name: str
    faces: int
    matches: frozenset[str]
    failure: str = ""


def run(folder: Path, address: str, key: str) -> int:
    """Fetch the photographs, send them, and show who matches whom.

    Returns:
        0 if the pictures of one person, and only they, match each other; else 1.
    """
    if not present(folder):
        print("Fetching the sample photographs from PyPI (17 MB, once) ...", flush=True)
    fetch_photographs(folder)
    begun = time.monotonic()
    results = _results(Server(address, key), [folder / name for name in (*SHOWN, *HALVES)])
    print(f"\n{len(results)} pictures went through {address} in {time.monotonic() - begun:.1f} s.\n")
    print(_shown(SHOWN, results, but=set(HALVES)))
    print("\nHalf a face may be enough:\n")
    print(_shown(HALVES, results) + "\n")
    return _conclude(surprises(results))


def surprises(results: Mapping[str, Result]) -> list[str]:
    """Return a sentence for each unexpected result. Half a face may be found and matched, or not."""
    found = []
    for result in (results[name] for name in SHOWN):
        expected = OBAMA - {result.name} if result.name in OBAMA else set()
        if result.failure:
            found.append(f"{result.name} failed: {result.failure}")
        elif result.matches - set(HALVES) != expected:
            matches = _listed(result.matches - set(HALVES))
            found.append(f"{result.name} matches {matches}; it should match {_listed(expected)}")
    return found


def _results(server: Server, files: Iterable[Path]) -> dict[str, Result]:
    hashes = {file.name: server.scan_image(PREFIX + file.name, file.read_bytes()).hash for file in files}
    statuses = _processed(server, hashes)
    return {name: _result(name, statuses[name], server.matches(hashes[name])) for name in hashes}


def _processed(server: Server, hashes: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Wait until every picture is processed; return their status documents by name."""
    statuses: dict[str, dict[str, Any]] = {}
    deadline = time.monotonic() + TIMEOUT
    with bar(len(hashes), "processing") as progress:
        while waiting := [name for name in hashes if name not in statuses]:
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"{_listed(waiting)} not processed after {TIMEOUT:.0f} s: see the workers' logs"
                )
            for name in waiting:
                status = server.status(hashes[name])
                if status is not None and status["state"] != "pending":
                    statuses[name] = status
                    progress.update()
            time.sleep(0.05)
    return statuses


def _result(name: str, status: Mapping[str, Any], names: Iterable[str]) -> Result:
    matches = frozenset(other.removeprefix(PREFIX) for other in names if other.startswith(PREFIX))
    return Result(name, len(status["faces"]), matches, status["reason"] or "")


def _shown(pictures: Mapping[str, str], results: Mapping[str, Result], but: Set[str] = frozenset()) -> str:
    rows = [
        (name, shown, results[name].faces, results[name].failure or _listed(results[name].matches - but))
        for name, shown in pictures.items()
    ]
    return table(rows, ("picture", "shows", "faces", "matches"))


def _conclude(found: list[str]) -> int:
    if not found:
        print(paint("✓ The three pictures of Barack Obama match each other and nobody else.", GREEN))
        return 0
    for sentence in found:
        print(paint(f"✗ {sentence}", RED))
    return 1


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nobody"
