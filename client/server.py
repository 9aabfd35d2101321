"""A client of the HTTP server."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import requests

from client.errors import Refused, ServerError, UsageError
from faces.documents import from_json
from faces.picture_id import is_picture_id

CONNECT, READ = (
    5.0,
    120.0,
)  # seconds; the server may fetch a URL or wait for RabbitMQ first
BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
MAX_WAIT = 30.0  # seconds, whatever Retry-After says


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
        self.address = address
        self._key = key
        self._timeout = (CONNECT, read_timeout)
        self._own = threading.local()

    def check(self) -> None:
        """Check that the server answers."""
        self._ask("GET", "/")

    def scan_image(self, name: str, data: bytes) -> Accepted:
        """Send a picture under a name.

        Raises:
            Refused: the server rejects it.
        """
        return self._accepted(self._ask("POST", f"/scan/image/{_quoted(name)}", data=data))

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

    def matches(self, picture: str) -> list[str]:
        """Return the names of the other pictures that show a matching face."""
        return [str(name) for name in self._document(self._ask("GET", f"/match/{_quoted(picture)}"), list)]

    def _ask(
        self, method: str, path: str, *, allowed: int = HTTPStatus.OK, **content: Any
    ) -> requests.Response:
        try:
            answer = self._session().request(
                method, self.address + path, timeout=self._timeout, allow_redirects=False, **content
            )
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            raise ServerError(f"no answer from the server at {self.address}: is it running?") from error
        except (requests.RequestException, ValueError) as error:
            raise Refused(f"cannot request {self.address}{path[:80]}: {error}") from error
        if answer.status_code in BUSY:
            raise ServerError(f"the server is busy: {_detail(answer)}", wait=_wait(answer))
        if answer.is_redirect:
            raise ServerError(
                f"the server redirects to {answer.headers['Location']}: set REST_URL to that server"
            )
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            raise UsageError("the server requires a valid API key: set API_KEY")
        if not answer.ok and answer.status_code != allowed:
            raise Refused(_detail(answer), code=_code(answer))
        return answer

    def _accepted(self, answer: requests.Response) -> Accepted:
        picture = self._document(answer, dict).get("hash")
        if not isinstance(picture, str) or not is_picture_id(picture):
            raise self._foreign(answer)
        return Accepted(picture, new=answer.status_code == HTTPStatus.ACCEPTED)

    def _document(self, answer: requests.Response, kind: type) -> Any:
        document = _json(answer)
        if not isinstance(document, kind):
            raise self._foreign(answer)
        return document

    def _foreign(self, answer: requests.Response) -> ServerError:
        return ServerError(
            f"{self.address} is not a Facefleet server (it answered {answer.status_code}): "
            "set REST_URL to the server's address"
        )

    def _show_key(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request

    def _session(self) -> requests.Session:
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
            if self._key:
                self._own.session.auth = self._show_key
        session: requests.Session = self._own.session
        return session


def _quoted(name: str) -> str:
    try:
        return quote(name)
    except UnicodeEncodeError as error:
        raise Refused("the name is not valid UTF-8: rename the file", code="bad_name") from error


def _json(answer: requests.Response) -> Any:
    try:
        return from_json(answer.content)
    except ValueError:
        return None


def _problem(answer: requests.Response) -> dict[str, Any]:
    document = _json(answer)
    return document if isinstance(document, dict) else {}


def _detail(answer: requests.Response) -> str:
    return str(_problem(answer).get("detail") or f"it answers {answer.status_code} {answer.reason}")


def _code(answer: requests.Response) -> str:
    return str(_problem(answer).get("code") or answer.status_code)


def _wait(answer: requests.Response) -> float:
    """Seconds that Retry-After asks for; a date or nonsense counts as one second."""
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), MAX_WAIT) if asked.isascii() and asked.isdigit() else 1.0
