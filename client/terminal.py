"""How output looks: handsome on a terminal, plain elsewhere, and never a control character of a stranger's."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any, TextIO

from tqdm import tqdm

RED, GREEN, YELLOW, CYAN, DIM, BOLD = "31", "32", "33", "36", "2", "1"


def printable(text: str) -> str:
    """Write out whatever could move the cursor, change colours or turn the direction of a line."""
    return "".join(ch if ch.isprintable() else ch.encode("unicode_escape").decode() for ch in text)


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Colour a text for the terminal that the stream is, by default standard output; plain if it is none."""
    stream = stream or sys.stdout
    return f"\x1b[{colour}m{text}\x1b[0m" if stream.isatty() else text


def note(text: str) -> None:
    """Tell the person something that is not part of the output."""
    print(printable(text), file=sys.stderr)


def bar(total: int | None, what: str) -> tqdm[Any]:
    """A progress bar on standard error; none where that is not a terminal."""
    return tqdm(total=total, desc=what, disable=None, leave=False, dynamic_ncols=True, smoothing=0.1)


def table(rows: Iterable[Sequence[object]]) -> str:
    """Rows in columns: texts to the left; numbers to the right, their thousands apart; None is a dash there."""
    cells = [[(_text(value), not isinstance(value, str)) for value in row] for row in rows]
    columns = zip_longest(*cells, fillvalue=("", False))
    widths = [max(len(text) for text, _ in column) for column in columns]
    return "\n".join(_line(row, widths) for row in cells)


def _text(value: object) -> str:
    if isinstance(value, str):
        return printable(value)
    return "-" if value is None else f"{value:,}"


def _line(row: Sequence[tuple[str, bool]], widths: Sequence[int]) -> str:
    cells = (
        text.rjust(width) if right else text.ljust(width)
        for (text, right), width in zip(row, widths, strict=False)
    )
    return "  ".join(cells).rstrip()
