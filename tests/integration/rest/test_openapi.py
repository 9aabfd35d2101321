"""The description of the routes is held to the routes, and the routes to it."""

from __future__ import annotations

import itertools
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from jsonschema_rs import meta
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from faces.api_key import SCOPES
from faces.config import Settings
from faces.messaging.search import Question
from faces.picture_id import picture_id_of
from faces.store.client import RedisClient
from faces.store.pictures.commit import DetectionResult
from faces.store.pictures.fail import fail
from faces.store.pictures.status import Status
from local.process import free_port
from rest.app import build, routed
from rest.auth.scopes import PUBLIC, scope_of
from rest.bounds import Bound
from rest.events.waiting import Waiting
from rest.fetching.fetcher import Fetcher
from rest.page.screens import SCREENS
from rest.searching import Searching
from tests.integration.groups.fleet import answering, caught_up, follower
from tests.support.committing import Worker, face
from tests.support.drawing import drawing
from tests.support.server import problem, serving

METHODS = {"get", "post", "delete", "put", "patch"}
PAGE = {(re.sub(r"<(\w+)>", r"{\1}", screen.path), "get") for screen in SCREENS[1:]}
PAGE |= {("/page/{version}/{name}", "get"), ("/sign-in", "post"), ("/sign-out", "post")}
HIDDEN = {("/scan/image/", "post"), ("/docs", "get"), ("/docs/{name}", "get"), *PAGE}  # the first: 400
DOCUMENT = routed().api_doc
PATHS = DOCUMENT["paths"]
OPERATIONS = [
    found.ok()
    for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
    if isinstance(found, Ok)
]
CASES = [(operation, GenerationMode.POSITIVE) for operation in OPERATIONS]
CASES += [
    (operation, GenerationMode.NEGATIVE)
    for operation in OPERATIONS
    if operation.query
    or "{hash}" in operation.label
    or "json" in str(operation.definition.raw.get("requestBody"))
]
PENDING, DONE, FAILED = (drawing(seed) for seed in range(3))
KNOWN = [picture_id_of(data) for data in (PENDING, DONE, FAILED)]
FACE = {"box": {"left": 1, "top": 2, "right": 30, "bottom": 40}, "indexed": True}


class Impatient(Waiting):
    """Asks once: what is made up here may ask for a minute."""

    def wait_for(self, picture_id: str, seconds: float, gone: threading.Event | None = None) -> Status | None:  # noqa: ARG002 -- its own
        return super().wait_for(picture_id, 0.0)


def resolve(*_: Any, **__: Any) -> Any:
    """Stands for the resolver: what is made up here is looked up nowhere, and refused."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]


class NobodyFound(Searching):
    """Stands for the workers: nobody is on any picture."""

    def ask(self, question: Question, gone: threading.Event | None = None) -> dict[str, Any]:  # noqa: ARG002 -- as the workers take it
        return {"model": "none", "tolerance": 0.6, "faces": []}


@pytest.fixture
def app(settings: Settings, redis: RedisClient, tmp_path: Path) -> Iterator[Flask]:
    """A server that has a picture in each state."""
    built = build(replace(settings, image_store_url=f"file://{tmp_path}"))
    parts = built.extensions["facefleet"]
    for data in (PENDING, DONE, FAILED):
        parts.ingest.accept(data, None, request_id="")
    Worker(redis).commit(DetectionResult(KNOWN[1], [FACE], (face(1),)))
    fail(redis, KNOWN[2], "truncated", "it is cut short")
    fetcher = Fetcher(max_bytes=1000, total_timeout=1, connect_timeout=1, max_redirects=1, resolver=resolve)
    built.extensions["facefleet"] = replace(
        parts,
        fetcher=fetcher,
        hook_sender=fetcher,
        waiting=Impatient(redis, parts.follower, Bound(1, "waits")),
        searching=NobodyFound(parts.settings, Bound(1, "searches")),
    )
    with closing(parts), answering(caught_up(follower(redis))):
        yield built


@pytest.mark.parametrize(("operation", "mode"), CASES, ids=lambda part: getattr(part, "label", str(part)))
def test_whatever_is_asked_is_answered_as_described(app: Flask, operation: Any, mode: GenerationMode) -> None:
    known = itertools.cycle([*KNOWN, None])

    @given(case=operation.as_strategy(generation_mode=mode))
    @hypothesis_settings(
        max_examples=12 if mode is GenerationMode.POSITIVE else 5,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        picture_id = next(known)
        if mode is GenerationMode.POSITIVE and picture_id and "hash" in case.path_parameters:
            case.path_parameters["hash"] = picture_id
        if mode is GenerationMode.POSITIVE and picture_id and "person" in case.path_parameters:
            case.path_parameters["person"] = "1"
        # a schema cannot tell a picture from other bytes, nor a public address from others
        case.call_and_validate(app=app, excluded_checks=[positive_data_acceptance])

    ask()


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Path as the document writes it, method and endpoint of every route."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("spelling"):
            continue  # another path to a route that is described
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower(), rule.endpoint


def test_every_route_is_described_with_its_methods(app: Flask) -> None:
    served = {(path, method) for path, method, _ in routes(app)}
    written = {(path, method) for path, item in PATHS.items() for method in item.keys() & METHODS}
    assert served - HIDDEN == written


def test_every_route_declares_who_may_use_it(app: Flask) -> None:
    declared = {scope_of(app, endpoint) for _, _, endpoint in routes(app)}
    assert declared <= {PUBLIC, *SCOPES}
    assert all(hasattr(app.view_functions[endpoint], "scope") for _, _, endpoint in routes(app))


def test_every_guarded_operation_names_its_scope_and_its_refusals(app: Flask) -> None:
    for path, method, endpoint in routes(app):
        scope = scope_of(app, endpoint)
        if scope == PUBLIC or (path, method) in HIDDEN:
            continue
        operation = PATHS[path][method]
        assert f"`{scope}`" in operation["description"]
        assert {"401", "403", "429", "503"} <= operation["responses"].keys()


def test_what_is_served_is_openapi(app: Flask) -> None:
    document = json.loads(app.test_client().get("/openapi.json").data)
    assert document["openapi"].startswith("3.1")
    for described in document["components"]["schemas"].values():
        assert meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **described})


def test_without_redis_it_is_alive_but_not_ready(settings: Settings) -> None:
    with serving(settings, redis_port=free_port()) as client:
        assert client.get("/healthz").status_code == 200
        answer = client.get("/readyz")
        assert problem(answer) == (503, "not_ready")
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("rabbitmq", ["ready", "away"])
def test_without_rabbitmq_it_is_ready_and_says_so(settings: Settings, rabbitmq: str) -> None:
    with serving(settings, **({"rabbitmq_port": free_port()} if rabbitmq == "away" else {})) as client:
        answer = client.get("/readyz")
        assert answer.status_code == 200
        ready = {"state": "ready", "redis": "ready", "queue": "open"}
        assert json.loads(answer.data) == ready | {"rabbitmq": rabbitmq}
