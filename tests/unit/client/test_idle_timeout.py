from __future__ import annotations

import pytest

from client.errors import Refused, ServerError
from client.idle_timeout import IdleTimeout
from tests.support.clock import Clock


class Stubborn:
    """Fails a few times."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def test_a_busy_server_is_asked_again() -> None:
    request = Stubborn(ServerError("busy", wait=0.01), ServerError("busy", wait=0.01))
    assert IdleTimeout(10).ask(request) == "answer"
    assert request.asked == 3


def test_a_refusal_is_final() -> None:
    request = Stubborn(Refused("no"))
    with pytest.raises(Refused):
        IdleTimeout(10).ask(request)
    assert request.asked == 1


def test_it_ends_with_the_last_error_and_asks_no_more(clock: Clock) -> None:
    idle_timeout, request = IdleTimeout(100), Stubborn(*[ServerError("away", wait=60)] * 9)
    with pytest.raises(ServerError, match="away"):
        idle_timeout.ask(request)
    with pytest.raises(ServerError, match="giving up"):
        idle_timeout.ask(request)
    assert (request.asked, clock.now) == (3, 100)


def test_what_moves_renews_it(clock: Clock) -> None:
    idle_timeout = IdleTimeout(5)
    clock.sleep(5)
    assert not idle_timeout.left
    idle_timeout.renew()
    assert idle_timeout.left == 5
