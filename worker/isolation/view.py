"""A picture as the engine sees it, and a face as the status document has it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from faces.formats.limits import Limits
from worker.decoding.decoder import Picture, decode
from worker.engine.types import Engine, Face, Pixels


@dataclass(frozen=True, slots=True)
class DecodedView:
    """A picture decoded as large as the engine has a use for, and its bytes."""

    data: bytes
    limits: Limits
    decoded: Picture

    @property
    def pixels(self) -> Pixels:
        """The picture, perhaps reduced."""
        return self.decoded.pixels

    @property
    def scale(self) -> float:
        """A position in `pixels` times this is the position in the whole picture."""
        return self.decoded.scale

    def whole(self) -> Pixels:
        """The picture at full size."""
        return decode(self.data, limits=self.limits).pixels


def open_for(engine: Engine, data: bytes, limits: Limits) -> DecodedView:
    """Decode a picture as large as an engine has a use for.

    Raises:
        PictureError: it cannot be decoded.
    """
    return DecodedView(data, limits, decode(data, limits=limits, useful=engine.useful))


def described(face: Face) -> dict[str, Any]:
    """A face as the status document has it."""
    indexed: dict[str, Any] = (
        {"indexed": True} if face.reason is None else {"indexed": False, "reason": face.reason}
    )
    optional: dict[str, Any] = {"landmarks": face.landmarks} if face.landmarks else {}
    traits = asdict(face.traits) if face.traits else {}
    optional |= {name: trait for name, trait in traits.items() if trait is not None}
    return (
        {"box": asdict(face.box), "detector": face.detector, "quality": asdict(face.quality)}
        | optional
        | indexed
    )
