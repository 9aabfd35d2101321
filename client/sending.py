"""Sending pictures to the server and watching them until they are processed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from client.batches import batches
from client.errors import Refused, ServerError
from client.idle_timeout import IdleTimeout
from client.server import Accepted, Server
from client.sources import Source
from client.threads import spread
from faces.picture_id import picture_id_of

OLDEST = 128  # pictures asked about each time: workers finish them roughly in order
SAMPLE = 128  # younger pictures asked about as well
PAUSES = (0.2, 0.2, 0.5, 1.0)  # seconds between questions, longer while nothing finishes

Outcome = Accepted | Refused | ServerError | OSError
"""What became of a picture that was to be sent."""


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
    server: Server, sources: Iterable[Source], idle_timeout: IdleTimeout, *, threads: int, largest: int
) -> Iterator[Picture]:
    """Send pictures and yield each as it is accepted or refused.

    While the server is unavailable or busy a picture waits; if nothing is accepted before the timeout expires, the
    rest is refused with that reason.
    """
    for sent in spread(partial(_send_some, server, idle_timeout, largest), batches(sources), threads):
        yield from sent


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
        if waiting and len(finished) < OLDEST:
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


def _send_some(
    server: Server, idle_timeout: IdleTimeout, largest: int, sources: Sequence[Source]
) -> list[Picture]:
    """Send pictures that share a request."""
    outcomes: dict[str, Outcome] = {}
    contents: dict[str, bytes] = {}
    for source in sources:
        try:
            if source.unusable is not None:
                outcomes[source.name] = source.unusable
            elif source.data is not None and (before := _sent_before(server, idle_timeout, source)):
                outcomes[source.name] = before
            elif source.data is not None:
                contents[source.name] = source.data
            elif source.path is None:
                outcomes[source.name] = idle_timeout.ask(partial(server.scan_url, source.name))
            else:
                contents[source.name] = _read(source.path, largest)
        except (Refused, ServerError, OSError) as error:
            outcomes[source.name] = error
    try:
        idle_timeout.ask(partial(_send_left, server, contents, outcomes))
    except (Refused, ServerError) as error:
        outcomes |= {name: error for name in contents if not _settled(outcomes.get(name))}
    if any(isinstance(outcome, Accepted) for outcome in outcomes.values()):
        idle_timeout.renew()
    return [_picture(source.name, outcomes[source.name]) for source in sources]


def _sent_before(server: Server, idle_timeout: IdleTimeout, frame: Source) -> Accepted | None:
    """What an earlier run made of a frame, so that a film resumes where it was; None: it is to be sent."""
    picture = picture_id_of(frame.data or b"")
    known = idle_timeout.ask(partial(server.status, picture))
    if known is None or known["state"] not in {"pending", "done"} or frame.name not in known.get("names", ()):
        return None
    return Accepted(picture, new=known["state"] == "pending")


def _send_left(server: Server, contents: Mapping[str, bytes], outcomes: dict[str, Outcome]) -> None:
    """Send those that are neither accepted nor refused yet.

    Raises:
        ServerError: the server cannot take some of them now.
    """
    left = {name: data for name, data in contents.items() if not _settled(outcomes.get(name))}
    if len(left) == 1:
        ((name, data),) = left.items()
        outcomes[name] = server.scan_image(name, data)
    elif left:
        outcomes |= zip(left, server.scan_images(left), strict=True)
    for outcome in outcomes.values():
        if isinstance(outcome, ServerError):
            raise outcome


def _settled(outcome: Outcome | None) -> bool:
    return isinstance(outcome, Accepted | Refused)


def _read(path: Path, largest: int) -> bytes:
    size = path.stat().st_size
    if size > largest:
        raise Refused(
            f"the file has {size:,} bytes, more than MAX_PICTURE_BYTES, {largest:,}", code="too_large"
        )
    return path.read_bytes()


def _picture(name: str, outcome: Outcome) -> Picture:
    match outcome:
        case Accepted():
            return Picture(name, hash=outcome.hash, new=outcome.new, state="accepted")
        case Refused():
            return Picture(name, code=outcome.code, reason=str(outcome))
        case ServerError():
            return Picture(name, code="unavailable", reason=str(outcome))
        case OSError():
            reason = f"cannot read the file: {outcome.strerror or outcome}"
            return Picture(name, code="unreadable", reason=reason)


def _finished(picture: str, status: Mapping[str, Any]) -> Picture | None:
    """A picture that is done or failed, None while it is pending."""
    state = status["state"]
    if state == "unknown":
        reason = "the picture is no longer known: it was erased, or could not be queued"
        return Picture("", picture, state="failed", code="gone", reason=reason)
    if state not in {"done", "failed"}:
        return None
    faces = status.get("faces") or 0
    return Picture(
        "", picture, state=state, faces=faces, code=status.get("code"), reason=status.get("reason")
    )
