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

from faces.config import Settings
from local.process import free_port
from rest.app import build
from rest.auth.authenticator import PUBLIC, SCOPE_OF
from rest.fetching.fetcher import Fetcher
from rest.openapi import DOCUMENT, PATHS
from tests.integration.rest.test_routes import problem, serving

METHODS = {"get", "post", "delete", "put", "patch"}
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


def test_every_route_is_described_with_its_methods(app: Flask) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    written = {(path, method) for path, item in PATHS.items() for method in item.keys() & METHODS}
    assert served - {("/scan/image/", "post")} == written  # that one is the name left out: 400


def test_every_route_says_who_may_use_it(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints == PUBLIC | SCOPE_OF.keys()


def test_every_guarded_operation_names_its_scope_and_its_refusals(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint in PUBLIC or rule.rule == "/scan/image/":
            continue
        path = PATHS[re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)]
        (operation,) = [path[method] for method in path.keys() & METHODS]
        assert f"`{SCOPE_OF[rule.endpoint]}`" in operation["description"]
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
