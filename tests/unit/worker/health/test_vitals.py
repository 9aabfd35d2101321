from __future__ import annotations

from worker.health.vitals import MAX_SILENCE, MAX_START, Vitals


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_worker_is_alive_while_its_loop_beats() -> None:
    clock = Clock()
    vitals = Vitals(clock)
    vitals.started()
    for _ in range(10):
        clock.now += MAX_SILENCE - 1
        assert vitals.healthz().ok
        vitals.beat()
    clock.now += MAX_SILENCE
    assert not vitals.healthz().ok
    vitals.beat()
    assert vitals.healthz().ok


def test_a_start_may_take_longer_and_not_for_ever() -> None:
    clock = Clock()
    vitals = Vitals(clock)
    clock.now = MAX_START - 1
    assert vitals.healthz().ok
    clock.now = MAX_START
    assert not vitals.healthz().ok


def test_a_worker_is_ready_while_it_consumes() -> None:
    vitals = Vitals()
    assert vitals.readyz().fields == {"state": "starting"}
    vitals.started()
    assert not vitals.readyz().ok, "it does not consume yet"
    vitals.consuming(True)
    assert vitals.readyz().ok
    vitals.consuming(False)
    assert not vitals.readyz().ok
    assert vitals.readyz().fields == {"state": "waiting for RabbitMQ"}
