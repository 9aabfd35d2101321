"""The HTTP server, as the commands see it: by the Python client, with the commands' errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import requests

from client.batches import archive
from client.errors import Refused, ServerError, UsageError
from facefleet.errors import AuthenticationError, RefusedError, UnavailableError
from facefleet.transport import BUSY, READ, Transport
from faces.picture_id import is_picture_id


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted picture; `new` means that it is still to be processed."""

    hash: str
    new: bool


class Server:
    """Sends requests. Threads may share it: each has its own connections.

    Every method raises ServerError if the server is unavailable, busy or not a Facefleet server.
    """

    def __init__(self, address: str, key: str = "", *, read_timeout: float = READ) -> None:
        self._http = Transport(address, key, read_timeout=read_timeout)

    def check(self) -> None:
        """Check that the server answers."""
        self._ask("GET", "/")

    def scan_image(self, name: str, data: bytes) -> Accepted:
        """Send a picture under a name.

        Raises:
            Refused: the server rejects it.
        """
        return self._accepted(self._ask("POST", f"/scan/image/{_quoted(name)}", data=data))

    def scan_images(self, pictures: Mapping[str, bytes]) -> list[Accepted | Refused | ServerError]:
        """Send several pictures in one request, each under its name; what became of each, in order.

        Raises:
            Refused: the server rejects the request as a whole.
        """
        valid = {name: data for name, data in pictures.items() if _is_text(name)}
        if not valid:
            return [_not_text() for _ in pictures]
        answer = self._ask(
            "POST", "/v1/images", data=archive(valid), headers={"Content-Type": "application/x-tar"}
        )
        items = self._document(answer, dict).get("items")
        if not isinstance(items, list) or len(items) != len(valid):
            raise self._foreign(answer)
        outcomes = dict(zip(valid, map(_outcome, items), strict=True))
        return [outcomes.get(name) or _not_text() for name in pictures]

    def scan_url(self, url: str) -> Accepted:
        """Have the server fetch the picture at a URL.

        Raises:
            Refused: the URL cannot be fetched, or must not be.
        """
        return self._accepted(self._ask("POST", "/scan/url", json={"url": url}))

    def status(self, picture: str) -> dict[str, Any] | None:
        """Return a picture's status document; None if it was never accepted or has been erased."""
        answer = self._ask("GET", f"/status/{_quoted(picture)}", allowed=HTTPStatus.NOT_FOUND)
        document = self._document(answer, dict)
        if not isinstance(document.get("state"), str):
            raise self._foreign(answer)
        return None if answer.status_code == HTTPStatus.NOT_FOUND else document

    def statuses(self, pictures: Sequence[str]) -> list[dict[str, Any]]:
        """Return the states of up to 1,000 pictures, in order; `unknown`: erased or never accepted."""
        answer = self._ask("POST", "/v1/statuses", json={"hashes": list(pictures)})
        found = self._document(answer, dict).get("statuses")
        if not isinstance(found, list) or len(found) != len(pictures):
            raise self._foreign(answer)
        return found

    def matches(self, picture: str) -> list[str]:
        """Return the names of the other pictures that show a matching face."""
        return [str(name) for name in self._document(self._ask("GET", f"/match/{_quoted(picture)}"), list)]

    def _ask(
        self, method: str, path: str, *, allowed: int = HTTPStatus.OK, **content: Any
    ) -> requests.Response:
        try:
            return self._http.request(method, path, allowed={allowed}, **content)
        except UnavailableError as error:
            raise ServerError(str(error), wait=error.wait) from error
        except AuthenticationError as error:
            raise UsageError(str(error)) from error
        except RefusedError as error:
            raise Refused(str(error), code=error.code) from error

    def _accepted(self, answer: requests.Response) -> Accepted:
        picture = self._document(answer, dict).get("hash")
        if not isinstance(picture, str) or not is_picture_id(picture):
            raise self._foreign(answer)
        return Accepted(picture, new=answer.status_code == HTTPStatus.ACCEPTED)

    def _document(self, answer: requests.Response, kind: type) -> Any:
        try:
            return self._http.document(answer, kind)
        except UnavailableError as error:
            raise ServerError(str(error)) from error

    def _foreign(self, answer: requests.Response) -> ServerError:
        return ServerError(str(self._http.foreign(answer)))


def _outcome(item: Mapping[str, Any]) -> Accepted | Refused | ServerError:
    """What became of one picture of several."""
    problem = item.get("problem")
    if not problem:
        return Accepted(str(item["hash"]), new=bool(item["new"]))
    if problem["status"] in BUSY:
        return ServerError(f"the server is busy: {problem['detail']}")
    return Refused(str(problem["detail"]), code=str(problem["code"]))


def _quoted(name: str) -> str:
    if not _is_text(name):
        raise _not_text()
    return quote(name)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _not_text() -> Refused:
    return Refused("the name is not valid UTF-8: rename the file", code="bad_name")
