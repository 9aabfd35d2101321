"""People and review in a browser, on made-up faces of which crops alone are kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from faces.amqp import connect
from faces.image_store import ImageStore
from faces.topology import declare
from local.process import until
from local.rabbitmq import RabbitServer
from local.redis import RedisServer
from tests.conftest import emptied
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.album import FAR, NEAR, album_id, fill
from tests.support.browser import Watched, accessible, narrow_enough, photograph

ANN, BOB, CAT, DAN, EVE, FAY = range(1, 7)
ALBUM: dict[str, Sequence[tuple[int, float]]] = {
    **{f"ann {n}.jpg": [(ANN, NEAR)] for n in range(9)},
    **{f"bob {n}.jpg": [(BOB, NEAR)] for n in range(6)},
    **{f"cat {n}.jpg": [(CAT, NEAR)] for n in range(5)},
    **{f"dan {n}.jpg": [(DAN, NEAR)] for n in range(4)},
    **{f"eve {n}.jpg": [(EVE, NEAR)] for n in range(3)},
    **{f"fay {n}.jpg": [(FAY, NEAR)] for n in range(2)},
    "ann alike.jpg": [(ANN, FAR)],
    "bob alike.jpg": [(BOB, FAR)],
    "cat alike.jpg": [(CAT, FAR)],
}


@pytest.fixture(scope="module")
def empty_fleet(
    redis_server: RedisServer, rabbit_server: RabbitServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """A server and a groups process; the album stands for what workers would have found."""
    folder = tmp_path_factory.mktemp("people")
    settings = replace(emptied(redis_server), rabbitmq_port=rabbit_server.port)
    with closing(connect(settings)) as connection:
        declare(connection.channel(), settings)
    running = Fleet(settings, folder)
    store = f"file://{folder}/crops"
    fill(running.redis, ImageStore(store), ALBUM)
    try:
        for part in ("rest", "groups"):
            running.start(part, IMAGE_STORE_URL=store, IMAGE_STORE_KEEPS="crops")
        assert until(running._answers, SECONDS), running.processes[0].last_lines()
        assert until(lambda: len(everybody(running)) == 9, SECONDS), running.processes[1].last_lines()
        yield running
    finally:
        running.stop()


@pytest.fixture(autouse=True)
def nothing_was_said(empty_fleet: Fleet) -> Iterator[None]:
    """Each test begins with what the groups process made of the album."""
    yield
    for statement in ask(empty_fleet, "/v1/statements")["statements"]:
        if statement["withdrawn"] is None:
            requests.delete(f"{empty_fleet.url}/v1/statements/{statement['number']}", timeout=30)


def ask(fleet: Fleet, path: str) -> Any:
    answer = requests.get(fleet.url + path, timeout=30)
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
    answer = requests.post(f"{fleet.url}/v1/statements", json=body, timeout=30)
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
        page.get_by_text("keeps the faces in your pictures and not the pictures themselves")
    ).to_be_visible()
    shown = page.locator(".tile img")
    expect(shown).to_have_count(sum(map(len, ALBUM.values())))
    holds(lambda: shown.first.evaluate("image => image.naturalWidth") == 160)
    page.goto(f"/pictures/{album_id('ann 0.jpg')}")
    expect(page.locator(".boxed image")).to_have_count(1)
    expect(page.get_by_text("Of this picture only the faces are kept")).to_be_visible()


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
    expect(toast(page, "Somebody has changed this meanwhile, so nothing was done")).to_be_visible()
    expect(cards(page).first).to_contain_text("Ann")
    assert everybody(empty_fleet)[0]["name"] == "Ann"


def test_what_others_change_is_seen(page: Page, empty_fleet: Fleet) -> None:
    open_people(page)
    say(empty_fleet, "name", everybody(empty_fleet)[1], name="Bob")
    expect(cards(page).nth(1)).to_contain_text("Bob")


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
