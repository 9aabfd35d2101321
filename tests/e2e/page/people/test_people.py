"""The list of people in a browser."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Fleet
from tests.e2e.page.people.conftest import ALBUM
from tests.e2e.page.people.shown import cards, everybody, holds, name_it, open_people, said, say, toast
from tests.support.album import album_id
from tests.support.clients.browser import Watched, accessible, narrow_enough, photograph


def test_people_are_shown_from_their_crops_largest_first(page: Page) -> None:
    open_people(page)
    expect(cards(page)).to_have_count(9)
    counts = [int(re.sub(r"\D", "", text)) for text in page.locator(".person .hint").all_inner_texts()]
    assert counts == sorted(counts, reverse=True) == [9, 6, 5, 4, 3, 2, 1, 1, 1]
    widths = "images => images.map(image => image.naturalWidth)"
    holds(lambda: page.locator(".person img").evaluate_all(widths) == [160] * 9)
    accessible(page)
    photograph(page, "people")
    narrow_enough(page)


def test_the_wall_and_a_picture_are_shown_from_crops_too(page: Page) -> None:
    page.goto("/")
    expect(
        page.get_by_text("keeps only the faces in your pictures, not the pictures themselves")
    ).to_be_visible()
    shown = page.locator(".tile img")
    expect(shown).to_have_count(sum(map(len, ALBUM.values())))
    holds(lambda: shown.first.evaluate("image => image.naturalWidth") == 160)
    page.goto(f"/pictures/{album_id('ann 0.jpg')}")
    expect(page.locator(".boxed image")).to_have_count(1)
    expect(page.get_by_text("Only the faces of this picture are kept")).to_be_visible()


def test_a_person_is_named_and_the_name_taken_back(page: Page, empty_fleet: Fleet) -> None:
    open_people(page)
    name_it(cards(page).first, "  Ann   Lee ")
    expect(cards(page).first).to_contain_text("Ann Lee")
    assert everybody(empty_fleet, "&name=ann")[0]["name"] == "Ann Lee"
    page.get_by_role("button", name="Named").click()
    expect(cards(page)).to_have_count(1)
    assert "show=named" in page.url
    page.get_by_role("button", name="Without a name").click()
    expect(cards(page)).to_have_count(8)
    page.get_by_label("Find a name").fill("nobody")
    page.get_by_role("button", name="All", exact=True).click()
    expect(page.get_by_role("heading", name="Nobody's name begins with “nobody”")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Find a name")).to_have_value("nobody")
    page.get_by_label("Find a name").fill("ANN")
    expect(cards(page)).to_have_count(1)
    toast(page, "Named Ann Lee").get_by_role("button", name="Undo").count()
    page.goto("/review/history")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.locator(".withdrawn")).to_have_count(1)
    assert everybody(empty_fleet, "&named=true") == []


def test_a_known_name_is_completed_and_asked_about(page: Page, empty_fleet: Fleet) -> None:
    first = everybody(empty_fleet)[0]
    say(empty_fleet, "name", first, name="Ann Lee")
    open_people(page)
    second = cards(page).nth(1)
    name_it(second, "ann lee")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Is this the same Ann Lee?")
    accessible(page)
    photograph(page, "people-same-name")
    dialog.get_by_role("button", name="No, another Ann Lee").click()
    expect(second).to_contain_text("ann lee")
    toast(page, "Named").get_by_role("button", name="Undo").click()
    expect(second).to_contain_text("Add a name")
    second.locator(".who").click()
    second.get_by_role("combobox").press_sequentially("an")
    option = page.get_by_role("option", name="Ann Lee")
    expect(option).to_be_visible()
    photograph(page, "people-completion")
    second.get_by_role("combobox").press("ArrowDown")
    second.get_by_role("combobox").press("Enter")
    expect(second).to_contain_text("Now part of Ann Lee")
    expect(cards(page).first).to_contain_text("15 faces")
    assert said(empty_fleet) == ["same", "name"]


def test_people_are_merged_by_selecting_and_everything_stays_in_its_place(
    page: Page, empty_fleet: Fleet
) -> None:
    open_people(page)
    before = cards(page).evaluate_all("items => items.map(item => item.dataset.key)")
    for number in (4, 5, 6):
        cards(page).nth(number).hover()
        cards(page).nth(number).get_by_role("checkbox").check()
    bar = page.get_by_role("toolbar")
    expect(bar).to_contain_text("3 people selected")
    photograph(page, "people-selected")
    bar.get_by_role("button", name="Merge into one").click()
    expect(cards(page).nth(5)).to_contain_text("Now part of Unnamed")
    expect(cards(page).nth(4)).to_contain_text("6 faces")
    assert cards(page).evaluate_all("items => items.map(item => item.dataset.key)") == before
    assert len(everybody(empty_fleet)) == 7
    page.keyboard.press("Control+z")
    expect(page.locator(".person.gone")).to_have_count(0)
    expect(cards(page).nth(4)).to_contain_text("3 faces")
    assert len(everybody(empty_fleet)) == 9


def test_people_are_merged_by_dragging_and_asked_which_name_is_right(page: Page, empty_fleet: Fleet) -> None:
    people = everybody(empty_fleet)
    say(empty_fleet, "name", people[0], name="Ann")
    say(empty_fleet, "name", people[1], name="Anna")
    open_people(page)
    cards(page).nth(0).drag_to(cards(page).nth(1))
    dialog = page.get_by_role("dialog", name="Which name is right?")
    expect(dialog).to_be_visible()
    photograph(page, "people-which-name")
    dialog.get_by_role("button", name="Anna").click()
    expect(cards(page).nth(0)).to_contain_text("Now part of Anna")
    assert [person["name"] for person in everybody(empty_fleet, "&named=true")] == ["Anna"]


def test_somebody_is_hidden_and_shown_again(page: Page, empty_fleet: Fleet) -> None:
    open_people(page)
    cards(page).nth(2).locator("a").focus()
    page.keyboard.press("x")
    page.get_by_role("toolbar").get_by_role("button", name="Hide").click()
    expect(cards(page).nth(2)).to_contain_text("Hidden")
    assert len(everybody(empty_fleet)) == 8
    page.get_by_role("button", name="Hidden", exact=True).click()
    expect(cards(page)).to_have_count(1)
    cards(page).locator("a").focus()
    page.keyboard.press("x")
    page.get_by_role("toolbar").get_by_role("button", name="Show again").click()
    expect(cards(page)).to_contain_text("Shown again")
    assert len(everybody(empty_fleet)) == 9


def test_a_correction_of_somebody_changed_meanwhile_is_told_and_not_applied(
    watched: Watched, empty_fleet: Fleet
) -> None:
    page = watched.page
    watched.tolerated = ["409"]
    page.route("**/v1/events*", lambda route: route.abort())  # this page hears nothing
    watched.tolerated.append("v1/events")
    open_people(page)
    first = everybody(empty_fleet)[0]
    say(empty_fleet, "name", first, name="Ann")
    name_it(cards(page).first, "Bob")
    expect(toast(page, "Somebody else changed this in the meantime, so nothing was done")).to_be_visible()
    expect(cards(page).first).to_contain_text("Ann")
    assert everybody(empty_fleet)[0]["name"] == "Ann"


def test_what_others_change_is_seen(page: Page, empty_fleet: Fleet) -> None:
    open_people(page)
    say(empty_fleet, "name", everybody(empty_fleet)[1], name="Bob")
    expect(cards(page).nth(1)).to_contain_text("Bob")


def test_who_may_only_read_is_offered_no_corrections(
    browser: Browser, empty_fleet: Fleet, tmp_path: Path
) -> None:
    reader = Watched(browser, empty_fleet.url)
    reader.page.add_init_script(
        "addEventListener('DOMContentLoaded', () => (document.body.dataset.scopes = 'read'), {capture: true})"
    )
    reader.page.route(
        "**/people",
        lambda route: route.fulfill(
            response=(answer := route.fetch()),
            body=re.sub(r'data-scopes="[^"]*"', 'data-scopes="read"', answer.text()),
        ),
    )
    open_people(reader.page)
    assert reader.page.get_by_role("checkbox").count() == 0
    assert reader.page.get_by_role("button", name="Add a name").count() == 0
    reader.close()
    reader.check()
