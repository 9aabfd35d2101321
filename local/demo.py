"""The demo: sample photographs sent to the running system over HTTP, as any client sends them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
from tqdm import tqdm

from local.photographs import fetch_photographs, present
from local.screen import Screen

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
PREFIX = "demo/"  # sets these pictures apart from a person's own
PATIENCE = 300.0  # seconds for all pictures


@dataclass(frozen=True)
class Result:
    """What became of a picture: `matches` are the other pictures of the demo with a matching face."""

    name: str
    faces: int
    matches: frozenset[str]
    failure: str = ""


class Server:
    """The server, as the demo speaks to it."""

    def __init__(self, address: str, key: str) -> None:
        self._address = address
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy knows this machine
        if key:
            self._session.headers["Authorization"] = f"Bearer {key}"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def scan(self, file: Path) -> str:
        """Send a picture and give its hash."""
        return str(self._ask("POST", f"/scan/image/{PREFIX}{file.name}", data=file.read_bytes())["hash"])

    def status(self, picture: str) -> dict[str, Any]:
        """Give a picture's status document."""
        return dict(self._ask("GET", f"/status/{picture}"))

    def matches(self, picture: str) -> frozenset[str]:
        """Give the names of the matching pictures of the demo."""
        names = self._ask("GET", f"/match/{picture}")
        return frozenset(name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX))

    def _ask(self, method: str, path: str, data: bytes | None = None) -> Any:
        answer = self._session.request(method, self._address + path, data=data, timeout=30)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            raise RuntimeError(
                "the server needs an API key: set API_KEY; its log has the first one, shown once"
            )
        if not answer.ok:
            raise RuntimeError(
                f"{method} {path} was answered with {answer.status_code}: {answer.text.strip()}"
            )
        return answer.json()


def run(folder: Path, address: str, key: str, screen: Screen) -> int:
    """Fetch the photographs, send them, and show who matches whom.

    Returns:
        0 if the pictures of one person, and only they, match each other; else 1.
    """
    if not present(folder):
        screen.say("Fetching the sample photographs from PyPI, this once (17 MB) ...")
    fetch_photographs(folder)
    begun = time.monotonic()
    with Server(address, key) as server:
        results = _results(server, [folder / name for name in (*SHOWN, *HALVES)])
    screen.say(f"\n{len(results)} pictures went through {address} in {time.monotonic() - begun:.1f} s.\n")
    _show(screen, SHOWN, results, but=set(HALVES))
    screen.say("Half a face may be enough:\n")
    _show(screen, HALVES, results)
    return _conclude(screen, surprises(results))


def surprises(results: Mapping[str, Result]) -> list[str]:
    """Whatever is not as it must be, in a sentence each. Half a face may be found and matched, or not."""
    whole = [results[name] for name in SHOWN]
    found = []
    for result in whole:
        wanted = OBAMA - {result.name} if result.name in OBAMA else set()
        if result.failure:
            found.append(f"{result.name} failed: {result.failure}")
        elif result.matches - set(HALVES) != wanted:
            matches = _listed(result.matches - set(HALVES))
            found.append(f"{result.name} matches {matches}; it should match {_listed(wanted)}")
    return found


def _results(server: Server, files: Iterable[Path]) -> dict[str, Result]:
    hashes = {file.name: server.scan(file) for file in files}
    waiting, deadline = dict(hashes), time.monotonic() + PATIENCE
    statuses: dict[str, dict[str, Any]] = {}
    with tqdm(total=len(hashes), bar_format="  {bar:40} {n_fmt} of {total_fmt}", disable=None) as bar:
        while waiting and time.monotonic() < deadline:
            looked = {name: server.status(picture) for name, picture in waiting.items()}
            ended = {name: status for name, status in looked.items() if status["state"] != "pending"}
            statuses |= ended
            bar.update(len(ended))
            waiting = {name: picture for name, picture in waiting.items() if name not in ended}
            time.sleep(0.05 if waiting else 0)
    if waiting:
        raise RuntimeError(f"{_listed(waiting)} not done after {PATIENCE:.0f} s: look at the workers' logs")
    return {name: _result(name, statuses[name], server.matches(hashes[name])) for name in hashes}


def _result(name: str, status: Mapping[str, Any], matches: frozenset[str]) -> Result:
    return Result(name, len(status["faces"]), matches, status["reason"] or "")


def _show(
    screen: Screen, pictures: Mapping[str, str], results: Mapping[str, Result], but: Set[str] = frozenset()
) -> None:
    rows = [
        (name, shown, str(result.faces), result.failure or _listed(result.matches - but))
        for name, shown in pictures.items()
        for result in [results[name]]
    ]
    screen.table(("picture", "shows", "faces", "matches"), rows)
    screen.say()


def _conclude(screen: Screen, found: list[str]) -> int:
    if not found:
        screen.say(
            screen.paint("✓ The three pictures of Barack Obama match each other and nobody else.", "green")
        )
        return 0
    for sentence in found:
        screen.say(screen.paint(f"✗ {sentence}", "red"))
    return 1


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nobody"
