"""Whatever comes in whatever order, with crashes and others in between: the rules hold and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from faces.errors import StoreError
from faces.store.client import RedisClient, Session
from faces.store.pictures import accept, queries, withdraw
from faces.store.pictures import erase as erasing
from faces.store.pictures.accept import Receipt, Refusal, Sending
from faces.store.pictures.commit import DetectionResult
from faces.store.pictures.fail import fail
from faces.store.pictures.outcome import Outcome
from tests.support.committing import Worker, found, picture
from tests.support.expected import Expected
from tests.support.rules import faults, read_all
from worker.index.face_index import FaceIndex

SEEN = [(1,), (1, 2), (2,), (), (3, 1), (3,)]  # the people in each picture, as one worker's model sees them
SEEN_OTHERWISE = [(1,), (2,), (), (3,), (3, 3), (1, 2)]  # and as another's would

numbers = st.integers(0, len(SEEN) - 1)
pictures = numbers.map(picture)
names = st.sampled_from(["a", "b", "c"])
workers = st.integers(0, 2)
batches = st.builds(
    lambda chosen, seen: [found(number, *seen[number]) for number in chosen],
    st.lists(numbers, min_size=1, max_size=4, unique=True),
    st.sampled_from([SEEN, SEEN_OTHERWISE]),
)


@contextmanager
def at_exec(step: Callable[[Callable[[], Any]], Any]) -> Iterator[None]:
    """Have `step` do the next EXEC, or not, with what it wants before or after."""
    send = Session.commit

    def once(session: Session, *commands: Any) -> Any:
        Session.commit = send  # type: ignore[method-assign]  # back for all that follow
        return step(lambda: send(session, *commands))

    Session.commit = once  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        Session.commit = send  # type: ignore[method-assign]


def after(first: Callable[[], None]) -> Callable[[Callable[[], Any]], Any]:
    """An EXEC that comes after something else."""

    def step(send: Callable[[], Any]) -> Any:
        first()
        return send()

    return step


class Fleet(RuleBasedStateMachine):
    """Three workers and their users on one Redis, beside what should come of it."""

    redis: RedisClient

    def __init__(self) -> None:
        super().__init__()
        self.redis.ask((0, "FLUSHALL"))
        self.workers = [Worker(self.redis) for _ in range(3)]
        self.expected = Expected()
        self.receipts: list[Receipt] = []

    @rule(sent=st.lists(st.tuples(pictures, names), min_size=1, max_size=6))
    def accept_several(self, sent: list[tuple[str, str]]) -> None:
        self._accepted(sent, accept.accept_all(self.redis, [Sending(*one) for one in sent]))

    @rule(sent=st.lists(st.tuples(pictures, names), min_size=1, max_size=6), meanwhile=pictures)
    def accept_while_one_is_erased(self, sent: list[tuple[str, str]], meanwhile: str) -> None:
        with at_exec(after(lambda: self.erase(meanwhile))):
            self.accept_several(sent)

    @precondition(lambda self: len(self.receipts) > 1)
    @rule(data=st.data())
    def withdraw_several(self, data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.receipts), min_size=2, max_size=6, unique_by=id))
        withdrawn = withdraw.withdraw_all(self.redis, chosen)
        assert withdrawn == [self.expected.withdraw(receipt) for receipt in chosen]

    def accept(self, picture: str, name: str) -> None:
        self._accepted([(picture, name)], [accept.accept(self.redis, picture, name)])

    def _accepted(self, sent: list[tuple[str, str]], outcomes: Sequence[Receipt | Refusal]) -> None:
        """What several sendings at once leave is what they leave one after the other."""
        for one, receipt in zip(sent, outcomes, strict=True):
            assert isinstance(receipt, Receipt)
            assert (receipt.claim.picture_id, receipt.claim.name) == one
            assert receipt.known == (self.expected.states.get(one[0]) == "done")
            self.expected.accept(receipt)
            self.receipts.append(receipt)

    @initialize()
    def accept_everything(self) -> None:
        self.accept_several([(picture(number), "abc"[number % 3]) for number in range(len(SEEN))])

    @precondition(lambda self: self.receipts)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        receipt = data.draw(st.sampled_from(self.receipts))
        assert withdraw.withdraw(self.redis, receipt) == self.expected.withdraw(receipt)

    @rule(picture=pictures)
    def fail(self, picture: str) -> None:
        assert fail(self.redis, picture, "truncated", "cut off") is self.expected.fail(picture)

    @rule(picture=pictures)
    def erase(self, picture: str) -> None:
        edges = len(read_all(self.redis).matches.get(picture, ()))
        receipt = erasing.erase(self.redis, picture)
        assert (receipt.state, receipt.names, receipt.faces) == self.expected.erase(picture)
        assert receipt.edges == edges

    @rule(worker=workers, batch=batches, follows=st.booleans())
    def commit(self, worker: int, batch: list[DetectionResult], follows: bool) -> None:
        assert self._commit(worker, batch, follows) == self.expected.commit(batch)

    @rule(
        worker=workers, batch=batches, meanwhile=st.sampled_from(["accept", "fail", "erase"]), data=st.data()
    )
    def commit_while_somebody_else_is_at_it(
        self, worker: int, batch: list[DetectionResult], meanwhile: str, data: st.DataObject
    ) -> None:
        more = (data.draw(names),) if meanwhile == "accept" else ()
        self._commit_after(worker, batch, lambda: getattr(self, meanwhile)(data.draw(pictures), *more))

    @rule(worker=workers, batch=batches, rival=batches)
    def commit_while_another_worker_does(
        self, worker: int, batch: list[DetectionResult], rival: list[DetectionResult]
    ) -> None:
        self._commit_after(worker, batch, lambda: self.commit((worker + 1) % 3, rival, False))

    @rule(picture=pictures, worker=workers, batch=batches)
    def erase_while_a_worker_commits(self, picture: str, worker: int, batch: list[DetectionResult]) -> None:
        with at_exec(after(lambda: self.commit(worker, batch, True))):
            receipt = erasing.erase(self.redis, picture)
        if receipt.state is not None:
            assert (receipt.state, receipt.names, receipt.faces) == self.expected.erase(picture)

    @rule(worker=workers, batch=batches, arrived=st.booleans(), restarts=st.booleans())
    def the_reply_to_exec_is_lost(
        self, worker: int, batch: list[DetectionResult], arrived: bool, restarts: bool
    ) -> None:
        lost = False

        def lose(send: Callable[[], Any]) -> None:
            nonlocal lost
            lost = True
            if arrived:
                send()
            raise StoreError("the connection was reset")

        with at_exec(lose):
            try:
                outcomes = self._commit(worker, batch, follows=True)
            except StoreError:
                if arrived:
                    self.expected.commit(batch)
            else:
                assert not lost
                assert outcomes == self.expected.commit(batch)
        if restarts:
            self.workers[worker].known = FaceIndex(0.6)
        else:
            self.commit(worker, batch, follows=True)

    @invariant()
    def everything_is_as_expected(self) -> None:
        state = read_all(self.redis)
        assert faults(state) == []
        assert (state.names, state.hashes) == (self.expected.names, self.expected.hashes)
        assert state.encodings == self.expected.encodings
        assert (state.totals, state.in_flight) == (self.expected.totals, self.expected.in_flight)
        everyone = [picture(number) for number in range(len(SEEN))]
        documents = queries.statuses(self.redis, everyone)
        states = {d.hash: d.state for d in documents if d is not None}
        assert states == self.expected.states
        (pending,) = self.redis.ask((0, "KEYS", "pending:*"))
        assert len(pending) == len(self.expected.waiting)

    def teardown(self) -> None:
        for worker in self.workers:
            worker.known.follow(self.redis)
            assert len(worker.known) == sum(map(len, self.expected.encodings.values()))

    def _commit_after(self, worker: int, batch: list[DetectionResult], meanwhile: Callable[[], None]) -> None:
        """Have something else take place between the reading and the EXEC of a commit."""
        with at_exec(after(meanwhile)):
            outcomes = self._commit(worker, batch, follows=False)
        assert outcomes == self.expected.commit(batch)

    def _commit(self, number: int, batch: list[DetectionResult], follows: bool) -> list[Outcome]:
        worker = self.workers[number]
        if follows:
            return worker.commit(*batch)
        return worker.commit_with(batch, worker.known.compare(batch).catch_up)


def test_the_rules_hold_whatever_happens(each_link: RedisClient) -> None:
    run_state_machine_as_test(
        type("TestFleet", (Fleet,), {"redis": each_link}),
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
