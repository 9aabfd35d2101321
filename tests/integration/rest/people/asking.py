"""Asking the server about people, and telling it of them."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

ANN, BOB, EVE = 1, 2, 3


def get(client: FlaskClient, path: str, **query: Any) -> Any:
    answer = client.get(path, query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def say(client: FlaskClient, kind: str, *people: str, **more: Any) -> Any:
    answer = client.post("/v1/statements", json={"kind": kind, "people": people, **more})
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def ids(client: FlaskClient, **query: Any) -> list[str]:
    return [person["id"] for person in get(client, "/v1/people", **query)["people"]]


def all_pages(client: FlaskClient, path: str, key: str, **query: Any) -> list[Any]:
    everything: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = get(client, path, **query, **cursor)
        assert not [one for one in page[key] if one in everything], "a page came twice"
        everything += page[key]
        if page["next"] is None:
            return everything
        assert len(page[key]) == query["limit"]
        cursor = {"cursor": page["next"]}
