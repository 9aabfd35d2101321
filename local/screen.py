"""Tables and colours for a person at a terminal; plain text for anything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TextIO

COLOURS = {"green": 32, "yellow": 33, "red": 31, "bold": 1, "dim": 2}


class Screen:
    """Where we write to. Colours show on a terminal that does not forbid them (https://no-color.org)."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str]) -> None:
        self._stream = stream
        self._coloured = stream.isatty() and not environ.get("NO_COLOR")

    def say(self, text: str = "") -> None:
        """Write a line at once."""
        print(text, file=self._stream, flush=True)

    def paint(self, text: str, colour: str) -> str:
        """Colour a text."""
        return f"\033[{COLOURS[colour]}m{text}\033[0m" if self._coloured else text

    def table(
        self, headings: Sequence[str], rows: Sequence[Sequence[str]], colours: Mapping[str, str] | None = None
    ) -> None:
        """Write rows in aligned columns; a cell takes the colour that `colours` has for its text."""
        widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
        self.say(self.paint(_line(headings, widths), "dim"))
        for row in rows:
            padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            painted = [self._paint_cell(cell, colours or {}) for cell in padded]
            self.say(f"  {'   '.join(painted)}".rstrip())

    def _paint_cell(self, cell: str, colours: Mapping[str, str]) -> str:
        colour = colours.get(cell.strip())
        return self.paint(cell, colour) if colour else cell


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return f"  {'   '.join(c.ljust(w) for c, w in zip(cells, widths, strict=True))}".rstrip()
