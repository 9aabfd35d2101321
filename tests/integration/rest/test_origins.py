"""Web pages in a person's browser, and the headers that browsers go by."""

from __future__ import annotations

import pytest

from faces.config import Settings
from tests.support.server import HASH, PICTURE, problem, serving

PAGE = "https://album.example"
ASKS_IN_ADVANCE = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "X-API-Key"}


@pytest.mark.parametrize("origin", [PAGE, "null", "http://localhost:8000", "http://localhost.evil.example"])
@pytest.mark.parametrize("keys", ["auto", "off"])
def test_pages_of_other_origins_may_not_ask(settings: Settings, origin: str, keys: str) -> None:
    with serving(settings, api_keys=keys) as client:
        for answer in (
            client.post("/scan/image/a", data=PICTURE, headers={"Origin": origin}),
            client.get(f"/match/{HASH}", headers={"Origin": origin}),
            client.options("/scan/url", headers={"Origin": origin, **ASKS_IN_ADVANCE}),
        ):
            assert problem(answer) == (403, "forbidden")
            assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_pages_of_the_servers_own_origin_may(settings: Settings) -> None:
    with serving(settings) as client:
        assert client.get(f"/match/{HASH}", headers={"Origin": "http://localhost"}).status_code == 200


def test_pages_that_the_operator_names_may(settings: Settings) -> None:
    with serving(settings, cors_origins=(f"{PAGE}/",)) as client:
        asked = client.options("/scan/url", headers={"Origin": PAGE, **ASKS_IN_ADVANCE})
        assert asked.status_code == 204
        assert "X-API-Key" in asked.headers["Access-Control-Allow-Headers"]
        answer = client.get(f"/match/{HASH}", headers={"Origin": PAGE})
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert answer.headers["Vary"] == "Origin"
        assert client.get(f"/match/{HASH}", headers={"Origin": "https://other.example"}).status_code == 403


def test_a_browser_asks_in_advance_without_a_key(settings: Settings) -> None:
    with serving(settings, api_keys="required", cors_origins=(PAGE,)) as client:
        assert client.options("/scan/url", headers={"Origin": PAGE, **ASKS_IN_ADVANCE}).status_code == 204
        refused = client.get(f"/match/{HASH}", headers={"Origin": PAGE})
        assert refused.status_code == 401
        assert refused.headers["Access-Control-Allow-Origin"] == PAGE


@pytest.mark.parametrize("host", ["evil.example", "10.0.0.1:5000", "localhost.evil.example", "169.254.1.1"])
def test_without_keys_a_request_must_name_this_machine(settings: Settings, host: str) -> None:
    with serving(settings) as client:
        assert problem(client.get(f"/match/{HASH}", headers={"Host": host})) == (403, "forbidden")
        assert client.get("/", headers={"Host": host}).status_code == 200
    for keys in ("off", "required"):
        with serving(settings, api_keys=keys) as client:
            assert client.get(f"/match/{HASH}", headers={"Host": host}).status_code in {200, 401}


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1", "[::1]:5000", "127.0.0.53:80"])
def test_each_name_of_this_machine_will_do(settings: Settings, host: str) -> None:
    with serving(settings) as client:
        assert client.get(f"/match/{HASH}", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", f"/match/{HASH}", "/nothing/here", "/openapi.json"])
def test_every_answer_carries_the_headers(settings: Settings, path: str) -> None:
    with serving(settings) as client:
        headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "Access-Control-Allow-Origin" not in headers
