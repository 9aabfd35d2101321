"""Headers of every answer, unless its route says otherwise: not a page, not to be cached, not to be sniffed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Application = Callable[..., Iterable[bytes]]


def installed(app: Application) -> Application:
    """Wrap a WSGI application so that every answer of it has the headers."""

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            present = {name.lower() for name, _ in headers}
            missing = [(name, value) for name, value in HEADERS.items() if name.lower() not in present]
            return start_response(status, headers + missing, exc_info)

        return app(environ, begin)

    return call
