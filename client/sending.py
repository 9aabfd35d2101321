"""Sending pictures to the server and watching them until they are processed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from client.errors import Refused, ServerError
from client.idle_timeout import IdleTimeout
from client.server import Accepted, Server
from client.sources import Source
from client.threads import spread

OLDEST = 32  # pictures asked about each time: workers finish them roughly in order
SAMPLE = 32  # younger pictures asked about as well
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
    server: Server, pictures: Sequence[str], idle_timeout: IdleTimeout, *, threads: int
) -> Iterator[tuple[str, Picture]]:
    """Ask about accepted pictures until each is done or failed; yield them with their hashes as they finish.

    Raises:
        ServerError: none finished before the timeout: the server is unavailable, or no worker is running.
    """
    waiting, turn = list(pictures), 0
    while waiting:
        asked = waiting[:OLDEST] + _sample(waiting[OLDEST:], turn)
        finished = set()
        for h, picture in spread(partial(_ask_after, server, idle_timeout), asked, min(threads, len(asked))):
            if picture is not None:
                idle_timeout.renew()
                finished.add(h)
                yield h, picture
        if finished:
            waiting, turn = [h for h in waiting if h not in finished], 0
        else:
            time.sleep(min(PAUSES[min(turn, len(PAUSES) - 1)], idle_timeout.left))
            turn += 1


def _sample(younger: list[str], turn: int) -> list[str]:
    """Return a few of the younger pictures, different ones each turn, so that one stuck picture hides no other."""
    start = turn * SAMPLE % max(len(younger), 1)
    return younger[start : start + SAMPLE]


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


def _ask_after(server: Server, idle_timeout: IdleTimeout, picture: str) -> tuple[str, Picture | None]:
    status = idle_timeout.ask(lambda: server.status(picture))
    if status is None:
        reason = "the picture is unknown now: it was erased, or could not be queued"
        return picture, Picture("", picture, state="failed", code="gone", reason=reason)
    if status["state"] not in {"done", "failed"}:
        return picture, None
    return picture, Picture(
        "",
        picture,
        state=status["state"],
        faces=len(status.get("faces") or ()),
        code=status.get("code"),
        reason=status.get("reason"),
    )
