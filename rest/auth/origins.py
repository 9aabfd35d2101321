"""Web pages: which of them may ask the server from a person's browser.

A browser sends requests for any page that it shows. So a page of another origin is refused unless a setting names
it. Without keys a request must also name this machine as its host: a page whose own name is made to lead to
127.0.0.1 (DNS rebinding) is of the same origin as the server in the browser's eyes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import Forbidden

from rest.auth.scopes import is_public

_ANSWERED_FOR = "600"  # seconds that a browser remembers an answer to its question in advance


@lru_cache(64)
def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address; of names, `localhost` alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@lru_cache(64)
def _names_this_machine(host: str) -> bool:
    return is_loopback(urlsplit(f"//{host}").hostname or "")


def own_page() -> bool:
    """Tell whether this request comes from a page that this server served.

    Behind a proxy that ends TLS the server does not know its own origin; the browser says whether it is the same.
    """
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    return request.headers.get("Origin") == request.host_url.rstrip("/")


class Origins:
    """Lets pages of the allowed origins ask. `local`: requests must name this machine."""

    def __init__(self, allowed: Sequence[str] = (), *, local: bool = False) -> None:
        self._allowed = frozenset(origin.rstrip("/").lower() for origin in allowed)
        self._local = local

    def install(self, app: Flask) -> None:
        """Have every request and answer of an app pass here."""
        app.before_request(self.check)
        app.after_request(self.mark)

    def check(self) -> Response | None:
        """Let the request pass, or answer the question that a browser asks in advance.

        Raises:
            Forbidden: the request comes from a page that may not ask.
        """
        if is_public(current_app, request.endpoint):
            return None
        if self._local and not _names_this_machine(request.host):
            raise Forbidden(
                "the Host header does not name this machine: use http://localhost, or set API_KEYS"
            )
        origin = request.headers.get("Origin")
        if origin and not self._admits(origin):
            raise Forbidden(
                "web pages from this origin are not allowed: the operator can add it to CORS_ORIGINS"
            )
        if origin and request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return Response(status=204)
        return None

    def mark(self, response: Response) -> Response:
        """Tell the browser that an allowed page may see the answer."""
        origin = request.headers.get("Origin", "")
        if self._allowed:
            response.vary.add("Origin")
        if origin.lower() in self._allowed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = "Retry-After"
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE"
                response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, X-API-Key"
                response.headers["Access-Control-Max-Age"] = _ANSWERED_FOR
        return response

    def _admits(self, origin: str) -> bool:
        return origin.lower() in self._allowed or own_page()
