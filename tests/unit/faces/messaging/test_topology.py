"""What the topology has to remember of earlier releases."""

from __future__ import annotations

from faces.messaging.topology import FORMER_RETRY_DELAYS, RETRY_DELAYS


def test_the_rungs_of_every_release_are_known() -> None:
    """Pictures may wait there after an upgrade; whoever erases one looks there."""
    released = {"0.1.0": {1, 5, 30, 120, 600}}
    assert set().union(*released.values()) <= {*RETRY_DELAYS, *FORMER_RETRY_DELAYS}
    assert not {*RETRY_DELAYS} & {*FORMER_RETRY_DELAYS}
