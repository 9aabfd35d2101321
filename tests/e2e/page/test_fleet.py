"""The fleet in a browser: how it does, failures and dead letters, keys, the audit log, erasing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Page, expect

from faces import api_key
from faces.image_store.pictures import ImageStore
from faces.messaging.amqp import Publisher
from faces.messaging.topology import DEAD
from faces.picture_id import picture_id_of
from faces.store.access import api_keys
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.fail import fail
from local.process import free_port, listening, until
from local.rabbitmq import RabbitServer
from local.redis import RedisServer
from tests.e2e.conftest import SECONDS, Fleet, fleet_on
from tests.support.album import NEAR, album_id, fill
from tests.support.clients.browser import Watched, accessible, narrow_enough, photograph
from tests.support.drawing import drawing

CUT = [drawing(seed) for seed in range(3)]


@pytest.fixture(scope="module")
def empty_fleet(
    redis_server: RedisServer, rabbit_server: RabbitServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """A server that asks for keys; no worker, so that what is sent stays in hand."""
    folder = tmp_path_factory.mktemp("fleet")
    store = f"file://{folder}/store"
    with fleet_on(redis_server, rabbit_server, folder) as running:
        fill(running.redis, ImageStore(store), {"erased soon.jpg": [(1, NEAR)], "stays.jpg": [(2, NEAR)]})
        running.start("rest", IMAGE_STORE_URL=store, IMAGE_STORE_KEEPS="both", API_KEYS="required")
        assert until(running._answers, SECONDS), running.processes[0].last_lines()
        yield running


@pytest.fixture(scope="module")
def administrator(empty_fleet: Fleet) -> str:
    """The key of an administrator."""
    return issue(empty_fleet.redis, "Administrator", *api_key.SCOPES)


def issue(redis: RedisClient, name: str, *scopes: str) -> str:
    key, token = api_key.create(name, scopes)
    api_keys.add(redis, key)
    return token


@pytest.fixture
def signed_in(page: Page, administrator: str) -> Page:
    sign_in(page, administrator)
    return page


def sign_in(page: Page, token: str) -> None:
    page.goto("/fleet")
    page.get_by_label("API key").fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Fleet")).to_be_visible()


def send(fleet: Fleet, token: str, data: bytes, name: str) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    assert fleet._http.post(f"{fleet.url}/scan/image/{name}", data=data, headers=headers).ok
    return picture_id_of(data)


def test_what_is_in_hand_and_the_plots_follow_what_happens(
    signed_in: Page, empty_fleet: Fleet, administrator: str
) -> None:
    page = signed_in
    expect(page.get_by_text("No worker is running")).to_be_visible()
    done = page.locator(".figure", has_text="Done")
    expect(done.locator("strong")).to_have_text("2")
    plot = page.get_by_role("img", name=re.compile("Pictures waiting, now: Waiting 0"))
    expect(plot).to_be_visible()
    send(empty_fleet, administrator, drawing(9), "in hand.jpg")
    expect(page.get_by_role("link", name="in hand.jpg")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("Pictures waiting, now: Waiting 1"))).to_be_visible()
    accessible(page)
    photograph(page, "fleet")
    narrow_enough(page)


def test_failures_stand_by_reason_and_are_tried_again(
    signed_in: Page, empty_fleet: Fleet, administrator: str
) -> None:
    page, redis = signed_in, empty_fleet.redis
    for number, data in enumerate(CUT):
        fail(
            redis, send(empty_fleet, administrator, data, f"cut {number}.jpg"), "truncated", "it is cut short"
        )
    page.goto("/fleet?show=failures")
    cut = page.locator('[data-code="truncated"]')
    expect(cut.get_by_role("heading")).to_have_text("Cut short: 3 pictures")
    accessible(page)
    photograph(page, "fleet-failures")
    cut.get_by_role("row", name="cut 1.jpg").get_by_role("button", name="Try again").click()
    expect(cut.get_by_role("heading")).to_have_text("Cut short: 2 pictures")
    cut.get_by_role("button", name="Try all again").click()
    expect(page.get_by_role("heading", name="Nothing has failed")).to_be_visible()
    states = [status.state for status in queries.statuses(redis, list(map(picture_id_of, CUT))) if status]
    assert states == ["pending"] * 3
    narrow_enough(page)


def test_dead_letters_tell_why_and_what_cannot_be_replayed_stays(signed_in: Page, empty_fleet: Fleet) -> None:
    page = signed_in
    with closing(Publisher(empty_fleet.settings)) as publisher:
        publisher.publish(DEAD, "", {"reason": "the header has no version", "name": "old.jpg"}, b"garbage")
    page.goto("/fleet?show=failures")
    letters = page.locator('[data-code="dead-letters"]')
    expect(letters).to_contain_text("the header has no version")
    letters.get_by_role("button", name="Try all again").click()
    expect(page.locator(".toast", has_text="1 message cannot be replayed")).to_be_visible()
    expect(letters).to_contain_text("old.jpg")


def test_a_key_is_shown_once_and_revoked(signed_in: Page, empty_fleet: Fleet, browser: Browser) -> None:
    page = signed_in
    page.goto("/fleet?show=keys")
    expect(page.get_by_role("row", name="Administrator (you)")).to_be_visible()
    page.get_by_label("Whose is it").fill("Ann")
    page.get_by_label("search").check()
    accessible(page)
    photograph(page, "fleet-keys")
    page.get_by_role("button", name="Create the key").click()
    dialog = page.get_by_role("dialog", name="The key of Ann")
    token = dialog.get_by_label("The new key").input_value()
    dialog.get_by_role("button", name="Done").click()
    row = page.get_by_role("row", name="Ann")
    expect(row).to_contain_text("read, search")
    assert token not in page.content()
    other = Watched(browser, empty_fleet.url)
    sign_in(other.page, token)
    expect(other.page.get_by_role("button", name="Keys")).to_have_count(0)
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke it").click()
    expect(row).to_have_count(0)
    other.page.goto("/people")
    expect(other.page.get_by_label("API key")).to_be_visible()
    other.close()
    page.goto("/fleet?show=audit")
    expect(page.get_by_role("row").nth(1)).to_contain_text("revoked")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Administrator")
    photograph(page, "fleet-audit")
    narrow_enough(page)


def test_a_picture_is_erased_with_a_receipt(watched: Watched, signed_in: Page, empty_fleet: Fleet) -> None:
    page = signed_in
    watched.tolerated = ["404"]  # of the album there are crops alone
    page.goto("/fleet?show=erase")
    page.get_by_label("Name or hash").fill("erased soon.jpg")
    page.get_by_role("button", name="Find it").click()
    expect(page.locator(".found")).to_contain_text("1 face")
    accessible(page)
    photograph(page, "fleet-erase")
    page.get_by_role("button", name="Erase…").click()
    page.get_by_role("dialog").get_by_role("button", name="Erase it").click()
    receipt = page.locator(".receipt")
    expect(receipt).to_contain_text(album_id("erased soon.jpg"))
    expect(receipt).to_contain_text("Crops of faceserased")
    assert queries.statuses(empty_fleet.redis, [album_id("erased soon.jpg")]) == [None]
    narrow_enough(page)


def test_without_rabbitmq_the_rest_is_shown(browser: Browser, empty_fleet: Fleet) -> None:
    port = free_port()
    empty_fleet.start("rest", REST_PORT=str(port), RABBITMQ_PORT=str(free_port()), API_KEYS="off")
    assert until(lambda: listening(port), SECONDS)
    lonely = Watched(browser, f"http://127.0.0.1:{port}")
    lonely.page.goto("/fleet")
    expect(lonely.page.get_by_text("RabbitMQ does not answer.")).to_be_visible()
    expect(lonely.page.locator(".figure").first).to_be_visible()
    lonely.close()
    lonely.check()
