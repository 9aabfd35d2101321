"""Questions about people in a browser, and the history of what was said."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Fleet
from tests.e2e.page.people.shown import ask, everybody, holds, said, say, toast
from tests.support.clients.browser import Watched, accessible, narrow_enough, photograph


@pytest.fixture
def reviewing(page: Page, empty_fleet: Fleet) -> Page:
    holds(lambda: len(ask(empty_fleet, "/v1/suggestions")["suggestions"]) == 3)
    page.goto("/review")
    expect(page.locator(".side")).to_have_count(2)
    return page


def question(page: Page) -> str:
    return " ".join(page.locator(".crops img").evaluate_all("crops => crops.map(crop => crop.src)"))


def test_questions_are_answered_by_one_key_and_taken_back(reviewing: Page, empty_fleet: Fleet) -> None:
    page = reviewing
    expect(page.get_by_role("status").first).to_contain_text("3 questions left")
    expect(page.locator(".side").first.locator("img")).to_have_count(6)
    accessible(page)
    photograph(page, "review")
    asked = question(page)
    page.keyboard.press("y")
    expect(page.get_by_text("2 questions left")).to_be_visible()
    assert question(page) != asked
    page.keyboard.press("n")
    expect(page.get_by_text("1 question left")).to_be_visible()
    page.keyboard.press("s")
    expect(page.get_by_role("heading", name="Nothing to ask")).to_be_visible()
    assert said(empty_fleet) == ["unsure", "different", "same"]
    photograph(page, "review-done")
    for left in (1, 2, 3):
        page.keyboard.press("Control+z")
        expect(page.get_by_text(f"{left} question")).to_be_visible()
    assert said(empty_fleet) == []
    assert question(page) == asked, "what was taken back is asked again, first"
    narrow_enough(page)


def test_it_may_be_somebody_else(reviewing: Page, empty_fleet: Fleet) -> None:
    page = reviewing
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog", name="Who is it then?")
    dialog.get_by_role("combobox").fill("Gus")
    dialog.get_by_role("combobox").press("Enter")
    expect(page.get_by_text("2 questions left")).to_be_visible()
    assert said(empty_fleet) == ["name", "different"]
    toast(page, "They are Gus").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("3 questions left")).to_be_visible()
    assert said(empty_fleet) == []


def test_the_history_tells_everything_and_takes_back_any_of_it(watched: Watched, empty_fleet: Fleet) -> None:
    page = watched.page
    watched.tolerated = ["404"]  # somebody whom a statement made, and who went with it
    ann, bob, cat, dan, *_ = everybody(empty_fleet)
    face = ask(empty_fleet, f"/v1/people/{ann['id']}/faces")["faces"][0]
    say(empty_fleet, "name", ann, name="Ann")
    say(empty_fleet, "different", ann, bob)
    say(empty_fleet, "same", cat, dan)
    say(empty_fleet, "split", ann, faces=[{"hash": face["hash"], "face": face["face"]}])
    page.goto("/review/history")
    rows = page.locator(".history li:not(.withdrawn)")
    expect(rows).to_have_count(4)
    expect(rows.nth(0)).to_contain_text("1 face split off from Ann")
    expect(rows.nth(2)).to_contain_text("Ann and person 2 are two people")
    accessible(page)
    photograph(page, "history")
    rows.nth(1).get_by_role("button", name="Withdraw").click()
    expect(rows).to_have_count(3)
    assert said(empty_fleet) == ["split", "different", "name"]
    narrow_enough(page)
