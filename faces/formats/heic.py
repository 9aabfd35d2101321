"""HEIC pictures, as telephones write them, read through pillow-heif. Import it only where HEIC is allowed.

Pillow gets a reader of its own under the name HEIC, narrower than the one that pillow-heif registers: the main
picture alone, and nothing of what a file may carry beside it.
"""

from __future__ import annotations

from typing import Any

from PIL import Image
from pillow_heif import HeifImageFile, options

NAME = "HEIC"


class HeicFile(HeifImageFile):
    """One HEIC picture, upright as soon as it is open: the container says how it lies, and libheif turns it."""

    format = NAME

    def _open(self) -> None:
        super()._open()  # type: ignore[no-untyped-call]  # pillow-heif leaves it untyped
        for told_again in ("exif", "xmp"):  # ISO/IEC 23008-12: what these say of a turn has been done already
            self.info.pop(told_again, None)

    def load(self) -> Any:
        """Decode the pixels.

        Raises:
            OSError: they cannot be decoded, or are not of the declared size.
        """
        told = self.size
        try:
            loaded = super().load()  # type: ignore[no-untyped-call]  # as above
        except (ValueError, RuntimeError, EOFError) as error:
            raise OSError(str(error).strip()) from error
        if self.size != told:  # what it says of its clean aperture was nonsense, and was left aside
            raise OSError(
                f"it shows {self.size[0]}x{self.size[1]} pixels, not those that its header declares"
            )
        return loaded

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> None:
        """Nothing: pillow-heif would give the file's thumbnail, which may show anything."""


def register() -> None:
    """Have Pillow read HEIC; a second time changes nothing."""
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    options.DECODE_THREADS = 1  # a worker has one core
    Image.register_open(NAME, HeicFile, lambda prefix: prefix[4:8] == b"ftyp")
