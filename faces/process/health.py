"""What a process answers on `METRICS_PORT`: `/metrics` to Prometheus, `/healthz` and `/readyz` to probes.

It has threads of its own, so it answers while every request thread of the server is taken. No key is needed: only
Prometheus and the probes should reach this port.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from prometheus_client import CollectorRegistry, disable_created_metrics, start_http_server

from faces.documents import to_json
from faces.errors import SettingError


@dataclass(frozen=True, slots=True)
class Health:
    """The answer to a probe: 200 if `ok`, else 503, with `fields` as its JSON body."""

    ok: bool
    fields: Mapping[str, object]


Check = Callable[[], Health]


def alive() -> Health:
    """Report that the process runs."""
    return Health(True, {"state": "alive"})


def serve(registry: CollectorRegistry, port: int, *, healthz: Check = alive, readyz: Check = alive) -> None:
    """Answer `/metrics`, `/healthz` and `/readyz` on a thread of its own; port 0: not at all.

    Raises:
        SettingError: the port is taken.
    """
    if not port:
        return
    # a time of creation beside each counter would double what Prometheus keeps
    disable_created_metrics()  # type: ignore[no-untyped-call]  # its authors left it untyped
    try:
        server, _ = start_http_server(port, registry=registry)
    except OSError as error:
        reason = f"cannot listen on METRICS_PORT {port} ({error.strerror}): use a free port"
        raise SettingError(reason) from error
    server.set_app(_application(server.get_app(), {"/healthz": healthz, "/readyz": readyz}))


def _application(metrics: Any, checks: Mapping[str, Check]) -> Callable[..., Iterable[bytes]]:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            answer: Iterable[bytes] = metrics(environ, start_response)
            return answer
        check = checks.get(path)
        if check is None:
            return _answer(start_response, HTTPStatus.NOT_FOUND, {"paths": ["/metrics", *checks]})
        health = check()
        status = HTTPStatus.OK if health.ok else HTTPStatus.SERVICE_UNAVAILABLE
        return _answer(start_response, status, health.fields)

    return application


def _answer(start_response: Any, status: HTTPStatus, fields: Mapping[str, object]) -> list[bytes]:
    start_response(f"{status.value} {status.phrase}", [("Content-Type", "application/json")])
    return [f"{to_json(dict(fields))}\n".encode()]
