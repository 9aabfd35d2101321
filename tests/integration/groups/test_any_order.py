"""Whatever comes, is stated and fails in whatever order: the saved groups are complete and right."""

from __future__ import annotations

import time
import uuid
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from redis import Redis

from faces.config import Settings
from faces.documents import to_json
from faces.errors import StoreError
from faces.store.client import RedisClient, Session
from faces.store.keys import ASKED, HOME
from faces.store.people import directory
from faces.store.people.statements import Kind
from groups.checking.faults import faults
from tests.integration.groups.fleet import Fleet, caught_up, follower
from tests.support.writing import picture

PICTURES = 8
KINDS: list[Kind] = ["name", "same", "different", "not", "assign", "split", "hide", "cover"]


def shown(number: int) -> list[int]:
    return [number % 3] if number < 6 else [number % 3, (number + 1) % 3]


class History(RuleBasedStateMachine):
    """One groups process on a Redis of its own, which the test provides."""

    redis: ClassVar[RedisClient]
    port: ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        with Redis(port=self.port) as client:
            client.flushall()
        self.fleet = Fleet(self.redis)
        self.kept = follower(self.redis)
        self.there: set[int] = set()

    @rule(number=st.integers(0, PICTURES - 1))
    def commit(self, number: int) -> None:
        if number not in self.there:
            self.fleet.commit({number: shown(number)})
            self.there.add(number)

    @precondition(lambda self: self.there)
    @rule(data=st.data())
    def erase(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.there)))
        self.fleet.erase(number)
        self.there.remove(number)

    @precondition(lambda self: self.there)
    @rule(data=st.data(), kind=st.sampled_from(KINDS))
    def submit(self, data: st.DataObject, kind: Kind) -> None:
        known = [person.id for person in directory.people(self.redis).people]
        if not known:
            return
        ids = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=2))
        faces = [
            f"{picture(number)}:0" for number in data.draw(st.lists(st.sampled_from(sorted(self.there))))
        ]
        self.ask({"do": "submit", "kind": kind, "people": ids, "faces": faces, "name": "Ann", "seen": {}})

    @rule(number=st.integers(1, 6))
    def withdraw(self, number: int) -> None:
        self.ask({"do": "withdraw", "number": number})

    def ask(self, wanted: dict[str, Any]) -> None:
        about = {"id": uuid.uuid4().hex, "until": time.time() + 60, "key": "", "request": ""}
        self.redis.ask((HOME, "RPUSH", ASKED, to_json(wanted | about)))

    @rule()
    def step(self) -> None:
        self.kept.step()

    @rule(written=st.booleans())
    def fail(self, *, written: bool) -> None:
        real = Session.commit

        def failing(session: Session, *commands: Any) -> Any:
            if written:
                real(session, *commands)
            raise StoreError("the reply was lost")

        Session.commit = failing  # type: ignore[method-assign,assignment]  # for one step
        try:
            self.kept.step()
        except StoreError:
            self.kept.load()
        finally:
            Session.commit = real  # type: ignore[method-assign]  # as above

    @rule()
    def restart(self) -> None:
        self.kept.lease.give()
        self.kept = follower(self.redis)

    def teardown(self) -> None:
        caught_up(self.kept)
        assert faults(self.redis) == []


def test_the_saved_groups_are_right_after_any_history(store_settings: Settings, redis: RedisClient) -> None:
    class Here(History):
        pass

    Here.redis, Here.port = redis, store_settings.redis_port
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
