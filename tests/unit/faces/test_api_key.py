from __future__ import annotations

from dataclasses import replace

import pytest

from faces import api_key
from faces.api_key import Key
from faces.errors import StoreError


def test_a_key_opens_with_its_own_token_alone() -> None:
    key, token = api_key.create("mine", ["scan"])
    other, foreign = api_key.create("other", ["scan"])
    assert api_key.id_of(token) == key.id
    assert key.opens(token)
    assert not key.opens(foreign)
    assert not replace(key, digest="").opens(token)
    assert not other.opens(token)


def test_what_is_kept_tells_nothing_of_the_token() -> None:
    key, token = api_key.create("mine", api_key.SCOPES)
    secret = token.rpartition("_")[2]
    assert secret not in key.to_json()
    assert key.digest not in repr(key)
    assert Key.from_json(key.to_json().encode()) == key


@pytest.mark.parametrize(
    "token",
    ["", "ff_", "ff_0123456789ab_", "ff_0123456789ab_" + "x" * 42, "FF_0123456789ab_" + "x" * 43, "é" * 60],
)
def test_what_does_not_look_like_a_key_has_no_id(token: str) -> None:
    assert api_key.id_of(token) is None


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"scopes": []}', b'{"scopes": 5}'])
def test_a_damaged_document_is_said_to_be_one(document: bytes) -> None:
    with pytest.raises(StoreError, match="damaged"):
        Key.from_json(document)
