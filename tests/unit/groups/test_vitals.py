"""What probes are told."""

from __future__ import annotations

from groups.vitals import MAX_SILENCE, Vitals


def test_it_is_ready_in_charge_and_standing_by() -> None:
    vitals = Vitals()
    assert not vitals.readyz().ok
    for state, ready in (("standing by", True), ("in charge", True), ("waiting for Redis", False)):
        vitals.beat(state)
        assert vitals.readyz().ok is ready
        assert vitals.healthz().ok


def test_it_is_alive_until_it_has_been_silent_for_long() -> None:
    now = [0.0]
    vitals = Vitals(lambda: now[0])
    now[0] = MAX_SILENCE - 1
    assert vitals.healthz().ok
    now[0] = MAX_SILENCE + 1
    assert not vitals.healthz().ok
