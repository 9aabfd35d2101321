"""Sending pictures to the server and watching them until they are processed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from client.errors import Refused, ServerError
from client.idle_timeout import IdleTimeout
from client.server import Accepted, Server
from client.sources import Source
from client.threads import spread

OLDEST = 128  # pictures asked about each time: workers finish them roughly in order
SAMPLE = 128  # younger pictures asked about as well
PAUSES = (0.1, 0.2, 0.5, 1.0)  # seconds between requests while nothing finishes


@dataclass(frozen=True, slots=True)
class Picture:
    """The state of a picture that was sent.

    `state`: `accepted`, `done`, `failed`, or `refused`: never accepted. The last two come with `code` and `reason`.
    """

    name: str
    hash: str | None = None
    new: bool = False
    state: str = "refused"
    faces: int = 0
    code: str | None = None
    reason: str | None = None


def send(
    server: Server, sources: Sequence[Source], idle_timeout: IdleTimeout, *, threads: int, largest: int
) -> Iterator[Picture]:
    """Send pictures and yield each as it is accepted or refused.

    While the server is unavailable or busy a picture waits; if nothing is accepted before the timeout expires, the
    rest is refused with that reason.
    """
    yield from spread(partial(_send_one, server, idle_timeout, largest), sources, threads)


def watch(
    server: Server, pictures: Sequence[str], idle_timeout: IdleTimeout
) -> Iterator[tuple[str, Picture]]:
    """Ask about accepted pictures until each is done or failed; yield them with their hashes as they finish.

    Raises:
        ServerError: none finished before the timeout: the server is unavailable, or no worker is running.
    """
    waiting, turn = list(pictures), 0
    while waiting:
        finished = ask_after(server, waiting, turn, idle_timeout)
        yield from finished.items()
        if finished:
            idle_timeout.renew()
            waiting, turn = [h for h in waiting if h not in finished], 0
        else:
            time.sleep(min(PAUSES[min(turn, len(PAUSES) - 1)], idle_timeout.left))
            turn += 1


def ask_after(
    server: Server, waiting: Sequence[str], turn: int, idle_timeout: IdleTimeout
) -> dict[str, Picture]:
    """Ask once about the oldest of the waiting pictures and some others; return those that are done or failed.

    The others are different ones each turn, so that one stuck picture hides no other.

    Raises:
        ServerError: the server is still unavailable when the timeout expires.
    """
    younger = waiting[OLDEST:]
    start = turn * SAMPLE % max(len(younger), 1)
    asked = [*waiting[:OLDEST], *younger[start : start + SAMPLE]]
    found = idle_timeout.ask(lambda: server.statuses(asked))
    return {h: finished for h, status in zip(asked, found, strict=True) if (finished := _finished(h, status))}


def _send_one(server: Server, idle_timeout: IdleTimeout, largest: int, source: Source) -> Picture:
    picture = Picture(source.name)
    try:
        accepted = _accept(server, idle_timeout, largest, source)
    except Refused as error:
        return replace(picture, code=error.code, reason=str(error))
    except ServerError as error:
        return replace(picture, code="unavailable", reason=str(error))
    except OSError as error:
        reason = f"cannot read the file: {error.strerror or error}"
        return replace(picture, code="unreadable", reason=reason)
    idle_timeout.renew()
    return replace(picture, hash=accepted.hash, new=accepted.new, state="accepted")


def _accept(server: Server, idle_timeout: IdleTimeout, largest: int, source: Source) -> Accepted:
    path = source.path
    if path is None:
        return idle_timeout.ask(lambda: server.scan_url(source.name))
    size = path.stat().st_size
    if size > largest:
        raise Refused(
            f"the file has {size:,} bytes, more than MAX_PICTURE_BYTES, {largest:,}", code="too_large"
        )
    data = path.read_bytes()
    return idle_timeout.ask(lambda: server.scan_image(source.name, data))


def _finished(picture: str, status: Mapping[str, Any]) -> Picture | None:
    """A picture that is done or failed, None while it is pending."""
    state = status["state"]
    if state == "unknown":
        reason = "the picture is unknown now: it was erased, or could not be queued"
        return Picture("", picture, state="failed", code="gone", reason=reason)
    if state not in {"done", "failed"}:
        return None
    faces = status.get("faces") or 0
    return Picture(
        "", picture, state=state, faces=faces, code=status.get("code"), reason=status.get("reason")
    )
