"""Asking for JSON documents, one or page by page."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import requests

from facefleet.transport import READ, Transport


class Documents:
    """Asks a server for documents. Threads may share it."""

    def __init__(self, url: str, key: str, timeout: float = READ) -> None:
        self._timeout = timeout
        self._http = Transport(url, key, read_timeout=timeout)

    def _pages(self, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = self._get(path, cursor=cursor, **query)
            yield from page[key]
            cursor = page["next"]
            if cursor is None:
                return

    def _get(self, path: str, *, wait: float = 0.0, **query: Any) -> dict[str, Any]:
        asked = {**query, **({"wait": wait} if wait else {})}
        timeout = (5.0, self._timeout + wait)
        return self._document(self._http.request("GET", path, params=asked, timeout=timeout))

    def _post(self, path: str, **content: Any) -> dict[str, Any]:
        return self._document(self._http.request("POST", path, **content))

    def _delete(self, path: str) -> dict[str, Any]:
        return self._document(self._http.request("DELETE", path))

    def _bytes(self, path: str, **query: Any) -> bytes:
        return bytes(self._http.request("GET", path, params=query).content)

    def _document(self, answer: requests.Response) -> dict[str, Any]:
        if answer.status_code == HTTPStatus.NO_CONTENT:
            return {}
        document: dict[str, Any] = self._http.document(answer, dict)
        return document
