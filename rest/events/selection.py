"""Which events a reader wants."""

from __future__ import annotations

from dataclasses import dataclass

from faces.usecases.event_details import Document


@dataclass(frozen=True, slots=True)
class Selection:
    """Events of all kinds and of everybody, as far as nothing is said.

    Attributes:
        kinds: the kinds wanted.
        hash: the picture.
        prefix: what one of the picture's names begins with.
        person: the person's id; `person_changed` names one, and `match` where a person is watched.
    """

    kinds: frozenset[str] = frozenset()
    hash: str = ""
    prefix: str = ""
    person: str = ""

    def admits(self, document: Document) -> bool:
        """Tell whether an event is wanted."""
        return (
            (not self.kinds or document["kind"] in self.kinds)
            and (not self.hash or document.get("hash") == self.hash)
            and (not self.person or document.get("person") == self.person)
            and (not self.prefix or any(n.startswith(self.prefix) for n in document.get("names", ())))
        )
