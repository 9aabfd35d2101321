"""Output for a person at a terminal, plain text elsewhere. A stranger's control characters are never printed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, TextIO

from tqdm import tqdm

from faces.config import no_color

RED, GREEN, YELLOW, CYAN, DIM, BOLD = "31", "32", "33", "36", "2", "1"


def printable(text: str) -> str:
    """Escape whatever could move the cursor, change colours or reverse the direction of a line."""
    return "".join(ch if ch.isprintable() else ch.encode("unicode_escape").decode() for ch in text)


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Colour a text if the stream, standard output by default, is a terminal that wants colours (no-color.org)."""
    stream = stream or sys.stdout
    return f"\x1b[{colour}m{text}\x1b[0m" if stream.isatty() and not no_color() else text


def note(text: str) -> None:
    """Tell the person something that is not part of the output."""
    print(printable(text), file=sys.stderr)


def bar(total: int | None, what: str) -> tqdm[Any]:
    """Return a progress bar on standard error; it shows nothing where that is not a terminal."""
    return tqdm(total=total, desc=what, disable=None, leave=False, dynamic_ncols=True, smoothing=0.1)


def table(
    rows: Iterable[Sequence[object]],
    headings: Sequence[str] = (),
    colours: Mapping[str, str] | None = None,
) -> str:
    """Return rows in columns: text to the left; numbers to the right, with thousands separators; None as a dash.

    Headings are dim; a cell takes the colour that `colours` has for its text.
    """
    cells = [[(_text(value), not isinstance(value, str)) for value in row] for row in rows]
    if headings:
        cells.insert(0, [(heading, False) for heading in headings])
    columns = zip_longest(*cells, fillvalue=("", False))
    widths = [max(len(text) for text, _ in column) for column in columns]
    lines = [_line(row, widths, colours or {}) for row in cells]
    return "\n".join([paint(lines[0], DIM), *lines[1:]] if headings else lines)


def _text(value: object) -> str:
    if isinstance(value, str):
        return printable(value)
    return "-" if value is None else f"{value:,}"


def _line(row: Sequence[tuple[str, bool]], widths: Sequence[int], colours: Mapping[str, str]) -> str:
    padded = [
        text.rjust(width) if right else text.ljust(width)
        for (text, right), width in zip(row, widths, strict=False)
    ]
    padded[-1] = padded[-1].rstrip() if not row[-1][1] else padded[-1]
    return "  ".join(_coloured(cell, colours) for cell in padded).rstrip()


def _coloured(cell: str, colours: Mapping[str, str]) -> str:
    word = cell.strip()
    return cell.replace(word, paint(word, colours[word])) if word in colours else cell
