"""CompreFace's face collections, by its REST API.

Source: github.com/exadel-inc/CompreFace, docs/Rest-API-description.md, "List of All Saved Examples of the Subject"
and "Download an Image example of the Subject by ID"; versions 0.6 and later list in pages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests

from client.errors import Refused, ServerError, UsageError
from client.idle_timeout import IdleTimeout
from client.importing.layouts import Labelled
from client.sources import Source
from faces.formats.signatures import FORMATS, format_of

FACES = "/api/v1/recognition/faces"
PAGE = 500  # examples in an answer
TIMEOUT = (5.0, 60.0)  # seconds to connect, and without a byte of the answer
IMAGE_ID = re.compile(r"[\w-]{1,64}", re.ASCII)  # a UUID; what is used as a file's name is checked
SUFFIXES = {known.name: known.suffixes[0] for known in FORMATS}


@dataclass(frozen=True, slots=True)
class Example:
    """A picture of a subject."""

    image_id: str
    subject: str


class CompreFace:
    """A face collection. Threads may not share it."""

    def __init__(self, url: str, key: str) -> None:
        """Prepare to ask; `key` is the API key of a recognition service."""
        self._url = url.rstrip("/")
        self._http = requests.Session()
        self._http.headers["x-api-key"] = key

    def examples(self, idle_timeout: IdleTimeout) -> list[Example]:
        """All examples of all subjects.

        Raises:
            UsageError: it is not CompreFace, or does not take the key.
            ServerError: it is still away when the timeout expires.
        """
        found: list[Example] = []
        page, pages = 0, 1
        while page < pages:
            document = self._page(idle_timeout, page)
            found += [Example(face["image_id"], face["subject"]) for face in document["faces"]]
            page, pages = page + 1, document["total_pages"]
            idle_timeout.renew()
        return found

    def download(self, example: Example, folder: Path, idle_timeout: IdleTimeout) -> Labelled:
        """Fetch an example's picture into a folder, unless it is there already.

        Raises:
            Refused: CompreFace does not have the picture.
            UsageError, ServerError: as for `examples`.
            OSError: the folder cannot be written.
        """
        path = next(folder.glob(f"{example.image_id}.*"), None)
        if path is None:
            content = self._ask(f"{FACES}/{example.image_id}/img", idle_timeout).content
            part = folder / f".{example.image_id}.part"
            part.write_bytes(content)
            path = part.rename(folder / f"{example.image_id}{SUFFIXES.get(format_of(content) or '', '.bin')}")
            idle_timeout.renew()
        return Labelled(Source(_name(example.subject, path), path), example.subject)

    def _page(self, idle_timeout: IdleTimeout, page: int) -> dict[str, Any]:
        answer = self._ask(f"{FACES}?page={page}&size={PAGE}", idle_timeout)
        try:
            document: dict[str, Any] = answer.json()
            sound = isinstance(document["total_pages"], int) and all(map(_is_example, document["faces"]))
        except (ValueError, KeyError, TypeError):
            sound = False
        if not sound:
            raise UsageError(f"{self._url} is not CompreFace's API: give its address")
        return document

    def _ask(self, path: str, idle_timeout: IdleTimeout) -> requests.Response:
        answer = idle_timeout.ask(lambda: self._get(path))
        if answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise UsageError(f"{self._url} rejected the key: give that of a recognition service")
        if not answer.ok:
            raise Refused(f"CompreFace answers {answer.status_code} {answer.reason}", code="no_picture")
        return answer

    def _get(self, path: str) -> requests.Response:
        try:
            answer = self._http.get(self._url + path, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            raise ServerError(f"no answer from CompreFace at {self._url}") from error
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or answer.status_code >= 500:
            raise ServerError(f"CompreFace at {self._url} answers {answer.status_code}")
        return answer


def _name(subject: str, path: Path) -> str:
    """The name to send a picture under: a subject may be any text, such as `..`, which means something in a URL."""
    return f"{subject.replace('/', '_').strip('.')}/{path.name}".lstrip("/")


def _is_example(face: Any) -> bool:
    subject, image_id = face["subject"], face["image_id"]
    return isinstance(subject, str) and bool(subject) and IMAGE_ID.fullmatch(image_id) is not None
