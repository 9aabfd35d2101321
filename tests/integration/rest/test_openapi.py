"""The description of the routes is held to the routes, and the routes to it."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
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
from local.process import free_port
from rest.app import build, routed
from rest.auth.scopes import PUBLIC, scope_of
from rest.fetching.fetcher import Fetcher
from tests.integration.rest.test_routes import problem, serving

METHODS = {"get", "post", "delete", "put", "patch"}
HIDDEN = {("/scan/image/", "post")}  # the name left out: 400
DOCUMENT = routed().api_doc
PATHS = DOCUMENT["paths"]
OPERATIONS = [
    found.ok()
    for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
    if isinstance(found, Ok)
]
CASES = [(operation, GenerationMode.POSITIVE) for operation in OPERATIONS]
CASES += [(o, GenerationMode.NEGATIVE) for o in OPERATIONS if o.label == "POST /scan/url"]


def resolve(*_: Any, **__: Any) -> Any:
    """Stands for the resolver: what is made up here is looked up nowhere, and refused."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    built = build(settings)
    parts = built.extensions["facefleet"]
    fetcher = Fetcher(max_bytes=1000, total_timeout=1, connect_timeout=1, max_redirects=1, resolver=resolve)
    built.extensions["facefleet"] = replace(parts, fetcher=fetcher)
    with closing(parts):
        yield built


@pytest.mark.parametrize(("operation", "mode"), CASES, ids=lambda part: getattr(part, "label", str(part)))
def test_whatever_is_asked_is_answered_as_described(app: Flask, operation: Any, mode: GenerationMode) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @hypothesis_settings(
        max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    def ask(case: Any) -> None:
        # a schema cannot tell a picture from other bytes, nor a public address from others
        case.call_and_validate(app=app, excluded_checks=[positive_data_acceptance])

    ask()


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Path as the document writes it, method and endpoint of every route."""
    for rule in app.url_map.iter_rules():
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


@pytest.mark.parametrize("away", ["redis_port", "rabbitmq_port"])
def test_without_its_servers_it_lives_but_is_not_ready(settings: Settings, away: str) -> None:
    with serving(settings, **{away: free_port()}) as client:
        assert client.get("/healthz").status_code == 200
        answer = client.get("/readyz")
        assert problem(answer) == (503, "not_ready")
        assert int(answer.headers["Retry-After"]) > 0
    with serving(settings) as client:
        assert client.get("/readyz").status_code == 200
