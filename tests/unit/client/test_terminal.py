from __future__ import annotations

import sys
from io import StringIO

import pytest

from client.terminal import GREEN, printable, table


def test_what_could_move_the_cursor_is_written_out() -> None:
    assert printable("a\x1b[2J\n\u202eé ü") == "a\\x1b[2J\\n\\u202eé ü"
    assert printable("half \udc80 a pair") == "half \\udc80 a pair"


def test_a_table_has_its_numbers_to_the_right() -> None:
    rows = [("sent", 12_345, "in all"), ("of them new", 7), ("kept", None), ("share", 0.5), ("name", "a\n")]
    assert table(rows).splitlines() == [
        "sent         12,345  in all",
        "of them new       7",
        "kept              -",
        "share           0.5",
        "name         a\\n",
    ]
    assert table([]) == ""


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


ROWS = [("rest", "ready"), ("worker-1", "away")]
PLAIN = "part      state\nrest      ready\nworker-1  away"


def shown() -> str:
    return table(ROWS, ("part", "state"), {"ready": GREEN, "rest": GREEN})


def test_headings_stand_above_their_columns() -> None:
    assert shown() == PLAIN


def test_colours_do_not_shift_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", Terminal())
    heading, first, second = shown().splitlines()
    assert first == "\x1b[32mrest\x1b[0m      \x1b[32mready\x1b[0m"
    assert (heading, second) == ("\x1b[2mpart      state\x1b[0m", "worker-1  away")


def test_colours_can_be_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown() == PLAIN
