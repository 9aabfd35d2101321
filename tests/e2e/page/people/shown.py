"""What the server knows of people, and what the page shows of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests
from playwright.sync_api import Locator, Page, expect

from local.process import until
from tests.e2e.conftest import SECONDS, Fleet


def ask(fleet: Fleet, path: str) -> Any:
    answer = requests.get(fleet.url + path, timeout=60)
    assert answer.ok, answer.text
    return answer.json()


def everybody(fleet: Fleet, query: str = "") -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = ask(fleet, f"/v1/people?limit=100{query}")["people"]
    return people


def said(fleet: Fleet) -> list[str]:
    """The kinds of the statements that hold, the latest first."""
    return [s["kind"] for s in ask(fleet, "/v1/statements")["statements"] if s["withdrawn"] is None]


def say(fleet: Fleet, kind: str, *people: dict[str, Any], **more: Any) -> None:
    body = {"kind": kind, "people": [person["id"] for person in people], **more}
    answer = requests.post(f"{fleet.url}/v1/statements", json=body, timeout=60)
    assert answer.status_code == 201, answer.text


def holds(fact: Callable[[], bool]) -> None:
    assert until(fact, SECONDS)


def cards(page: Page) -> Locator:
    return page.locator(".person")


def open_people(page: Page, query: str = "") -> None:
    page.goto(f"/people{query}")
    expect(cards(page).first).to_be_visible()


def name_it(card: Locator, name: str) -> None:
    card.locator(".who").click()
    card.get_by_role("combobox").fill(name)
    card.get_by_role("combobox").press("Enter")


def toast(page: Page, text: str) -> Locator:
    return page.locator(".toast", has_text=text)
