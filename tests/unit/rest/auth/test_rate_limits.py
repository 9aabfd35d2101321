from __future__ import annotations

import pytest

from rest.auth.rate_limits import source


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_who_an_address_is_counted_as(address: str, counted_as: str) -> None:
    assert source(address) == counted_as
