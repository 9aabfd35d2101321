"""The kinds of events that somebody asks for."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from faces.store.events.stream import KINDS


def _known(kinds: list[str]) -> list[str]:
    """Refuse a kind that no event has: its reader would wait for ever."""
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"{kind[:40]!r} is not a kind of event: {', '.join(KINDS)}")
    return kinds


Kinds = Annotated[list[str], AfterValidator(_known), Field(description=f"One or more of {', '.join(KINDS)}")]
