"""The client: everything that `/v1` offers, typed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote

import requests

from facefleet.errors import UnavailableError
from facefleet.models import Comparison, Event, Image, Match, Sent, Stats
from facefleet.people import People
from facefleet.sse import parse
from facefleet.transport import READ

LONGEST_WAIT = 60.0  # seconds that the server waits in one request
SILENCE = 60.0  # seconds without a line after which a stream of events is opened anew


class Client(People):
    """Asks a Facefleet server. Threads may share it.

    Every method raises `UnavailableError` while the server is unavailable or busy, `AuthenticationError` without a
    valid API key, and `RefusedError`, with a stable `code`, for what the server rejects.

        with Client("http://127.0.0.1:5000") as client:
            sent = client.send(Path("me.jpg"), wait=30)
            for match in client.matches(sent.hash):
                print(match.distance, match.names)
    """

    def __init__(self, url: str = "http://127.0.0.1:5000", key: str = "", *, timeout: float = READ) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            url: the server's address.
            key: an API key; "" where the server needs none.
            timeout: seconds to wait for an answer, beside what a request itself asks to wait.
        """
        super().__init__(url, key, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; `with Client(...) as client` does so at its end."""
        self._http.close()

    def send(self, picture: Path | bytes | str, name: str | None = None, *, wait: float = 0.0) -> Sent:
        """Send a picture: a file, its bytes, or the URL it is to be fetched from.

        Args:
            picture: what to send.
            name: its name; default: the file's path, the URL, or the picture's hash.
            wait: seconds to wait until it is processed, at most 60.
        """
        if isinstance(picture, str):
            return self._sent(wait=wait, json={"url": picture})
        if isinstance(picture, bytes):
            return self._sent(wait=wait, name=name, data=picture)
        with picture.open("rb") as file:
            return self._sent(wait=wait, name=name or str(picture), data=file)

    def send_urls(self, urls: Sequence[str], *, wait: float = 0.0, key: str | None = None) -> list[Sent]:
        """Have the server fetch up to 32 pictures; one that cannot be fetched has a `problem`.

        `key`, an Idempotency-Key, has it done once however often it is sent.
        """
        headers = {} if key is None else {"Idempotency-Key": key}
        document = self._post("/v1/images", params={"wait": wait}, json={"urls": list(urls)}, headers=headers)
        return [Sent.of(item) for item in document["items"]]

    def image(self, picture_id: str, *, wait: float = 0.0) -> Image:
        """What is known of a picture, by its hash."""
        return Image.of(self._get(f"/v1/images/{quote(picture_id)}", wait=wait))

    def wait(self, picture_id: str, seconds: float = 300.0) -> Image:
        """Wait until a picture is processed; `pending` where the time was too short."""
        deadline = time.monotonic() + seconds
        while True:
            left = max(0.0, deadline - time.monotonic())
            image = self.image(picture_id, wait=min(left, LONGEST_WAIT))
            if image.state != "pending" or time.monotonic() >= deadline:
                return image

    def named(self, name: str) -> Image:
        """The picture that has a name."""
        return Image.of(self._get(f"/v1/names/{quote(name)}"))

    def images(
        self,
        *,
        state: Literal["pending", "done", "failed", "damaged"] | None = None,
        prefix: str | None = None,
        faces: Literal["with", "without"] | None = None,
        since: float | None = None,
        person: str | None = None,
    ) -> Iterator[Image]:
        """All pictures, or those of a person by id, newest first; the pages are fetched as they are needed."""
        query = {"state": state, "prefix": prefix, "faces": faces, "since": since, "person": person}
        return map(Image.of, self._pages("/v1/images", "images", limit=500, **query))

    def matches(
        self, picture_id: str, *, max_distance: float | None = None, min_probability: float | None = None
    ) -> Iterator[Match]:
        """The pictures that match, the nearest first; the pages are fetched as they are needed."""
        query = {"max_distance": max_distance, "min_probability": min_probability, "limit": 1000}
        return map(Match.of, self._pages(f"/v1/images/{quote(picture_id)}/matches", "matches", **query))

    def compare(
        self, first: str | Sequence[float], second: str | Sequence[float], *, tolerance: float | None = None
    ) -> Comparison:
        """Compare two pictures by their hashes, or faces by their encodings, one to one."""
        sides = {"first": _side(first), "second": _side(second)}
        bound = {} if tolerance is None else {"tolerance": tolerance}
        return Comparison.of(self._post("/v1/compare", json={**sides, **bound}))

    def search(
        self, face: Path | bytes | Sequence[float], *, limit: int = 10, max_distance: float | None = None
    ) -> list[dict[str, Any]]:
        """Search by a picture that is not stored, or by an encoding.

        Returns:
            Each face of it with its `matches`, the nearest first.
        """
        query = {"limit": limit, "max_distance": max_distance}
        body: dict[str, Any]
        if isinstance(face, Path | bytes):
            body = {"data": face if isinstance(face, bytes) else face.read_bytes()}
        else:
            body = {"json": {"encoding": list(face)}}
        found: list[dict[str, Any]] = self._post("/v1/search", params=query, **body)["faces"]
        return found

    def statuses(self, picture_ids: Sequence[str]) -> list[dict[str, Any]]:
        """The states of up to 1,000 pictures, in the order asked; `unknown` for one that nothing is known of."""
        found: list[dict[str, Any]] = self._post("/v1/statuses", json={"hashes": list(picture_ids)})[
            "statuses"
        ]
        return found

    def picture(self, picture_id: str, *, size: int | None = None) -> bytes:
        """The original, or a JPEG whose longer side has at most `size` pixels."""
        return self._bytes(f"/v1/images/{quote(picture_id)}/picture", size=size)

    def annotated(self, picture_id: str, *, size: int | None = None) -> bytes:
        """The picture with its faces marked, as a JPEG."""
        return self._bytes(f"/v1/images/{quote(picture_id)}/annotated", size=size)

    def face(self, picture_id: str, index: int, *, size: int | None = None) -> bytes:
        """One face of a picture, as a JPEG."""
        return self._bytes(f"/v1/images/{quote(picture_id)}/faces/{index}", size=size)

    def encodings(self, picture_id: str) -> list[list[float]]:
        """The encodings of a picture's indexed faces, 128 numbers each."""
        found = self._get(f"/v1/images/{quote(picture_id)}/encodings")["encodings"]
        return [one["encoding"] for one in found]

    def erase(self, picture_id: str) -> dict[str, Any]:
        """Erase a picture with everything made from it; returns the receipt."""
        return self._delete(f"/v1/images/{quote(picture_id)}")

    def stats(self) -> Stats:
        """What the fleet has done, how fast it is, and what waits."""
        return Stats.of(self._get("/v1/stats"))

    def events(
        self,
        *,
        kinds: Sequence[str] = (),
        picture_id: str | None = None,
        prefix: str | None = None,
        person: str | None = None,
        after: str | None = None,
    ) -> Iterator[Event]:
        """What happens from now on, or `after` an event's id; without end.

        A connection that is lost is opened again where it was: no event is lost or comes twice. Where the server no
        longer keeps some of them, an event of the kind `gap` tells so.
        """
        query = {"kind": list(kinds) or None, "hash": picture_id, "prefix": prefix, "person": person}
        position = after
        while True:
            try:
                for event in self._stream(query, position):
                    position = event.id or position
                    if event.kind:
                        yield event
            except (UnavailableError, requests.RequestException) as error:
                time.sleep(getattr(error, "wait", 1.0))

    def _stream(self, query: dict[str, Any], position: str | None) -> Iterator[Event]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": position} if position else {})}
        timeout = (self._timeout, SILENCE)
        with self._http.request(
            "GET", "/v1/events", params=query, headers=headers, stream=True, timeout=timeout
        ) as answer:
            yield from parse(line.decode() for line in answer.iter_lines(chunk_size=1))

    def _sent(self, *, wait: float, name: str | None = None, **body: Any) -> Sent:
        query = {"wait": wait, "name": name}
        (item,) = self._post("/v1/images", params=query, **body)["items"]
        return Sent.of(item)


def _side(given: str | Sequence[float]) -> dict[str, Any]:
    return {"hash": given} if isinstance(given, str) else {"encoding": list(given)}
