"""HTTP requests to the server, and its problem documents as errors."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection
from http import HTTPStatus
from typing import Any

import requests

from facefleet.errors import AuthenticationError, RefusedError, UnavailableError

CONNECT, READ = 5.0, 120.0  # seconds; the server may fetch a URL or wait for RabbitMQ first
BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
GATEWAY = {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}  # a proxy's, unless it is a problem document
MAX_WAIT = 30.0  # seconds, whatever Retry-After says


class Transport:
    """Sends requests. Threads may share it: each has its own connections."""

    def __init__(self, address: str, key: str = "", *, read_timeout: float = READ) -> None:
        self.address = address.rstrip("/")
        self._key = key
        self._timeout = (CONNECT, read_timeout)
        self._own = threading.local()
        self._sessions: list[requests.Session] = []

    def request(
        self, method: str, path: str, *, allowed: Collection[int] = (), **content: Any
    ) -> requests.Response:
        """Send a request; `content` is what `requests` takes. Statuses in `allowed` are no errors.

        Raises:
            UnavailableError: the server is unavailable, busy, or elsewhere.
            AuthenticationError: it requires a valid API key.
            RefusedError: it rejects the request.
        """
        try:
            answer = self._session().request(
                method, self.address + path, **{"timeout": self._timeout, "allow_redirects": False, **content}
            )
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            raise UnavailableError(f"no answer from the server at {self.address}: is it running?") from error
        except (requests.RequestException, ValueError) as error:
            raise RefusedError(f"cannot request {self.address}{path[:80]}: {error}") from error
        if not (answer.ok and not answer.is_redirect) and answer.status_code not in allowed:
            raise _error(answer)
        return answer

    def document(self, answer: requests.Response, kind: type) -> Any:
        """The JSON of an answer.

        Raises:
            UnavailableError: it is not JSON of this type: another program answered.
        """
        document = _json(answer)
        if not isinstance(document, kind):
            raise self.foreign(answer)
        return document

    def foreign(self, answer: requests.Response) -> UnavailableError:
        """The error for an answer that no Facefleet server gives."""
        return UnavailableError(
            f"{self.address} is not a Facefleet server (it answered {answer.status_code}): "
            "set REST_URL to the server's address"
        )

    def close(self) -> None:
        """Close all connections."""
        for session in self._sessions:
            session.close()

    def _show_key(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request

    def _session(self) -> requests.Session:
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
            self._sessions.append(self._own.session)
            if self._key:
                self._own.session.auth = self._show_key
        session: requests.Session = self._own.session
        return session


def _error(answer: requests.Response) -> Exception:
    if answer.status_code in BUSY:
        return UnavailableError(f"the server is busy: {_detail(answer)}", wait=_wait(answer))
    if answer.status_code in GATEWAY and not _problem(answer):
        return UnavailableError(
            f"a proxy in front of the server cannot reach it: {answer.status_code} {answer.reason}"
        )
    if answer.is_redirect:
        return UnavailableError(
            f"the server redirects to {answer.headers['Location']}: set REST_URL to that server"
        )
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        return AuthenticationError("the server requires a valid API key: set API_KEY")
    return RefusedError(_detail(answer), code=_code(answer), status=answer.status_code)


def _json(answer: requests.Response) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError:
        return None


def _problem(answer: requests.Response) -> dict[str, Any]:
    document = _json(answer)
    return document if isinstance(document, dict) else {}


def _detail(answer: requests.Response) -> str:
    return str(_problem(answer).get("detail") or f"it answered {answer.status_code} {answer.reason}")


def _code(answer: requests.Response) -> str:
    return str(_problem(answer).get("code") or answer.status_code)


def _wait(answer: requests.Response) -> float:
    """Seconds that Retry-After asks for; a date or nonsense counts as one second."""
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), MAX_WAIT) if asked.isascii() and asked.isdigit() else 1.0
