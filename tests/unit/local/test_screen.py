from __future__ import annotations

from io import StringIO

from local.screen import Screen


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def written(stream: StringIO, environ: dict[str, str]) -> str:
    Screen(stream, environ).table(
        ("part", "state"), [("rest", "ready"), ("worker-1", "away")], {"ready": "green"}
    )
    return stream.getvalue()


PLAIN = "  part       state\n  rest       ready\n  worker-1   away\n"


def test_columns_are_aligned() -> None:
    assert written(StringIO(), {}) == PLAIN


def test_colours_do_not_shift_the_columns() -> None:
    shown = written(Terminal(), {})
    assert "\033[32mready\033[0m" in shown
    assert "  worker-1   away\n" in shown


def test_colours_can_be_forbidden() -> None:
    assert written(Terminal(), {"NO_COLOR": "1"}) == PLAIN
