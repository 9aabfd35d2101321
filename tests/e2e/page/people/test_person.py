"""One person's faces in a browser: taken out, split off, given to somebody, put first."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Fleet
from tests.e2e.page.people.shown import ask, everybody, holds, say, toast
from tests.support.clients.browser import accessible, narrow_enough, photograph


def open_person(page: Page, person: dict[str, Any]) -> Locator:
    page.goto(f"/people/{person['id']}")
    tiles = page.locator(".face-tile")
    expect(tiles).to_have_count(person["faces"])
    return tiles


def choose(tiles: Locator, *numbers: int) -> None:
    for number in numbers:
        tiles.nth(number).hover()
        tiles.nth(number).get_by_role("checkbox").check()


def test_faces_are_taken_out_and_put_back(page: Page, empty_fleet: Fleet) -> None:
    ann = everybody(empty_fleet)[0]
    tiles = open_person(page, ann)
    accessible(page)
    choose(tiles, 1)
    page.get_by_role("button", name="Why here?").click()
    expect(page.get_by_role("dialog")).to_contain_text("from the other faces of its group, on average")
    page.get_by_role("button", name="Close").click()
    choose(tiles, 2)
    photograph(page, "person")
    page.get_by_role("toolbar").get_by_role("button", name="Not this person").click()
    expect(page.locator(".face-tile.gone")).to_have_count(2)
    expect(page.locator(".titles")).to_contain_text("7 faces")
    assert ask(empty_fleet, f"/v1/people/{ann['id']}")["faces"] == 7
    toast(page, "2 faces taken out").get_by_role("button", name="Undo").click()
    expect(page.locator(".face-tile.gone")).to_have_count(0)
    expect(page.locator(".titles")).to_contain_text("9 faces")
    narrow_enough(page)


def test_a_person_is_split_and_a_part_given_to_somebody(page: Page, empty_fleet: Fleet) -> None:
    ann, bob, *_ = everybody(empty_fleet)
    say(empty_fleet, "name", bob, name="Bob")
    tiles = open_person(page, ann)
    choose(tiles, 0)
    page.keyboard.down("Shift")
    tiles.nth(2).get_by_role("checkbox").click()
    page.keyboard.up("Shift")
    bar = page.get_by_role("toolbar")
    expect(bar).to_contain_text("3 faces selected")
    bar.get_by_role("button", name="Split off").click()
    expect(page.locator(".face-tile.gone")).to_have_count(3)
    choose(tiles, 4)
    bar.get_by_role("button", name="Somebody else…").click()
    dialog = page.get_by_role("dialog", name="Who is it?")
    dialog.get_by_role("combobox").press_sequentially("bo")
    dialog.get_by_role("option", name="Bob").click()
    expect(page.locator(".face-tile.gone")).to_have_count(4)
    choose(tiles, 5)
    bar.get_by_role("button", name="Somebody else…").click()
    dialog.get_by_role("combobox").fill("Gus")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".face-tile.gone")).to_have_count(5)
    holds(lambda: {person["name"] for person in everybody(empty_fleet, "&named=true")} == {"Bob", "Gus"})
    assert ask(empty_fleet, f"/v1/people/{bob['id']}")["faces"] > bob["faces"]
    page.get_by_role("link", name="say who").click()
    expect(page.locator(".face-tile")).to_have_count(3)


def test_the_cover_is_chosen_and_the_person_named_and_hidden(page: Page, empty_fleet: Fleet) -> None:
    ann = everybody(empty_fleet)[0]
    tiles = open_person(page, ann)
    choose(tiles, 3)
    page.get_by_role("toolbar").get_by_role("button", name="Use as cover").click()
    expect(toast(page, "This is the cover now")).to_be_visible()
    key = tiles.nth(3).get_attribute("data-key")
    cover = ask(empty_fleet, f"/v1/people/{ann['id']}")["cover"]
    assert f"{cover['hash']}:{cover['face']}" == key
    page.get_by_role("button", name="Add a name").click()
    page.get_by_role("combobox").fill("Ann")
    page.get_by_role("combobox").press("Enter")
    expect(page.get_by_role("heading", name="Ann")).to_be_visible()
    page.get_by_role("button", name="Hide").click()
    expect(page.locator(".titles")).to_contain_text("hidden")
    page.keyboard.press("Control+z")
    expect(page.locator(".titles")).not_to_contain_text("hidden")
