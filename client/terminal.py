"""How output looks: handsome on a terminal, plain elsewhere, and never a control character of a stranger's."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
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
    """Lines of a label and numbers or texts, in columns; numbers to the right, with their thousands apart."""
    shown = [[_cell(value) for value in row] for row in rows]
    widths = [max((len(row[i]) for row in shown if i < len(row)), default=0) for i in range(3)]
    return "\n".join(_line(row, widths) for row in shown)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else printable(str(value))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = row
    cells = [first.ljust(widths[0])]
    cells += [cell.rjust(widths[1]) if i == 0 else cell for i, cell in enumerate(rest)]
    return "  ".join(cells).rstrip()
