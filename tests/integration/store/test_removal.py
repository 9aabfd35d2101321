"""A picture that is sent again at the moment when its original is removed keeps what was stored for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from faces.errors import StoreError
from faces.formats.limits import Limits
from faces.image_store.pictures import Deleted, ImageStore
from faces.messaging.message import Message
from faces.picture_id import picture_id_of
from faces.store import memory
from faces.store.access.audit_log import AuditLog
from faces.store.client import RedisClient
from faces.store.pictures import queries, removal
from faces.store.pictures.accept import accept
from faces.store.pictures.removal import removing
from faces.usecases.erase import erase_picture
from faces.usecases.ingest import Ingest
from faces.usecases.originals import remove_unknown
from faces.usecases.publication import one_by_one
from local.process import until
from tests.support.drawing import drawing

DATA = drawing()
PICTURE = picture_id_of(DATA)
LIMITS = Limits(max_bytes=1 << 20, max_pixels=1 << 20)
REFUSED = "the picture is being erased"


class Meanwhile(ImageStore):
    """An image store in which something happens right before an original is removed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.as_uri())
        self.first: Callable[[], object] = lambda: None

    def delete(self, picture_id: str) -> Deleted:
        first, self.first = self.first, lambda: None
        first()
        return super().delete(picture_id)


class Sender:
    """Sends the picture, and keeps what is published."""

    def __init__(self, redis: RedisClient, image_store: ImageStore) -> None:
        self.redis, self.image_store = redis, image_store
        self.published: list[Message] = []
        self.refused = 0
        self.ingest = Ingest(redis, one_by_one(self.publish), image_store, LIMITS, AuditLog(redis, 100))

    def publish(self, message: Message) -> None:
        self.published.append(message)

    def send(self) -> None:
        try:
            self.ingest.accept(DATA, "a name", request_id="")
        except StoreError as error:
            self.refused += str(error) == REFUSED

    def check(self) -> None:
        """What was accepted has its original."""
        (status,) = queries.statuses(self.redis, [PICTURE])
        assert (status is not None) == self.image_store.has(PICTURE)


@pytest.fixture
def image_store(tmp_path: Path) -> Meanwhile:
    return Meanwhile(tmp_path)


@pytest.fixture
def sender(redis: RedisClient, image_store: Meanwhile) -> Sender:
    return Sender(redis, image_store)


def erase_it(redis: RedisClient, image_store: ImageStore) -> None:
    log = AuditLog(redis, 100)
    erase_picture(redis, image_store, log, lambda _: 0, PICTURE, actor="somebody")


@pytest.mark.parametrize("known", [True, False], ids=["of a picture", "of what a killed server left"])
@pytest.mark.parametrize("remove", [erase_it, partial(remove_unknown, picture_id=PICTURE)])
def test_who_sends_while_an_original_is_removed_is_refused_and_may_try_again(
    redis: RedisClient,
    image_store: Meanwhile,
    sender: Sender,
    remove: Callable[[RedisClient, ImageStore], object],
    known: bool,
) -> None:
    if known and remove is erase_it:
        sender.send()
    else:
        image_store.put(PICTURE, DATA)
    image_store.first = sender.send
    remove(redis, image_store)
    assert sender.refused == 1
    assert not image_store.has(PICTURE)
    sender.check()
    sender.send()
    assert sender.refused == 1
    assert image_store.has(PICTURE)
    sender.check()


def test_a_picture_accepted_right_before_its_original_would_be_removed_keeps_it(
    redis: RedisClient, image_store: Meanwhile, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look is over, and the removal not yet announced."""
    look = queries.statuses

    def look_once(*asked: object) -> list[object]:
        monkeypatch.setattr(queries, "statuses", look)
        sender.send()
        return [None]

    monkeypatch.setattr(queries, "statuses", look_once)
    assert not remove_unknown(redis, image_store, PICTURE)
    assert image_store.has(PICTURE)
    sender.check()


def test_a_removal_that_begins_while_a_picture_is_being_accepted_is_noticed(
    redis: RedisClient, image_store: Meanwhile, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as begun:

        def begin(_: object) -> None:
            monkeypatch.undo()
            begun.enter_context(removing(redis, PICTURE))

        monkeypatch.setattr(memory, "check_room", begin)
        sender.send()
        assert sender.refused == 1
        assert queries.statuses(redis, [PICTURE]) == [None]
    assert not image_store.has(PICTURE)


def test_of_two_who_remove_it_the_last_lets_it_in_again(redis: RedisClient, sender: Sender) -> None:
    with removing(redis, PICTURE):
        with removing(redis, PICTURE):
            sender.send()
        sender.send()
        assert sender.refused == 2
    sender.send()
    assert sender.refused == 2
    assert len(sender.published) == 1
    assert redis.ask((0, "EXISTS", f"removing:{PICTURE}")) == [0]


def test_a_process_that_is_killed_keeps_its_picture_out_for_a_while_only(
    redis: RedisClient, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "LONGEST", 1)
    killed = removing(redis, PICTURE)
    killed.__enter__()
    sender.send()
    assert sender.refused == 1
    assert until(lambda: redis.ask(removal.count(PICTURE)) == [0], 60)
    sender.send()
    assert len(sender.published) == 1


def test_a_picture_with_a_record_takes_names_meanwhile(redis: RedisClient) -> None:
    accept(redis, PICTURE, "a name")
    with removing(redis, PICTURE):
        accept(redis, PICTURE, "another")
