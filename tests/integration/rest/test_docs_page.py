"""The page at `/docs`: made of our own files, under a policy that allows nothing else."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from rest.docs import KINDS
from tests.support.server import problem


def test_the_page_has_all_it_names_and_names_nothing_else(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert set(named) == {"/openapi.json", *(f"/docs/{name}" for name in KINDS)}
    for path in named:
        assert client.get(path).status_code == 200
    for name, kind in KINDS.items():
        file = client.get(f"/docs/{name}")
        assert file.mimetype == kind
        assert not re.search(r"https?://|innerHTML|eval\(", file.text)


def test_the_pages_policy_lets_only_our_files_run(client: FlaskClient) -> None:
    policy = client.get("/docs").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_other_files_are_not_there(client: FlaskClient) -> None:
    for name in "__init__.py", "..%2f__init__.py", "docs.html":
        assert problem(client.get(f"/docs/{name}")) == (404, "not_found")
