"""What a picture may be: its size in bytes and pixels, and its format."""

from dataclasses import dataclass

from faces.config import Settings
from faces.errors import PictureError, SettingError
from faces.formats.signatures import DEFAULT_FORMATS, KNOWN_FORMATS

MAX_PIXELS = 178_956_970  # Pillow itself refuses more: twice its MAX_IMAGE_PIXELS


@dataclass(frozen=True)
class Limits:
    """What a picture may be.

    Raises:
        SettingError: a format is unknown or its reader is not installed, or `max_pixels` exceeds `MAX_PIXELS`.
    """

    max_bytes: int
    max_pixels: int
    formats: frozenset[str] = frozenset(DEFAULT_FORMATS)

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Return the limits that the settings ask for."""
        formats = frozenset(settings.picture_formats)
        return cls(settings.largest_picture, settings.max_picture_pixels, formats)

    def __post_init__(self) -> None:
        if unknown := self.formats - KNOWN_FORMATS:
            raise SettingError(
                f"unknown picture format {listed(unknown)}: choose from {listed(KNOWN_FORMATS)}"
            )
        if self.max_pixels > MAX_PIXELS:
            raise SettingError(f"MAX_PICTURE_PIXELS is {self.max_pixels}: at most {MAX_PIXELS} are possible")
        if "HEIC" in self.formats:
            _register_heic()

    def refuse_pixels(self, size: tuple[int, int]) -> None:
        """Raise `too_many_pixels` for a size, width and height in pixels, beyond the limit."""
        width, height = size
        if width * height > self.max_pixels:
            raise self.too_many_pixels(f"{width}x{height}")

    def too_many_pixels(self, size: str) -> PictureError:
        """Return the error for a picture of too many pixels."""
        return PictureError(
            f"the picture has {size} pixels, more than the {self.max_pixels} allowed: send a smaller one",
            code="too_many_pixels",
        )


def listed(formats: frozenset[str]) -> str:
    """Return formats as text, sorted."""
    return ", ".join(sorted(formats))


def _register_heic() -> None:
    """Add the HEIC reader, an optional dependency, to Pillow."""
    try:
        from faces.formats import heic  # noqa: PLC0415 -- nobody else needs the library
    except ImportError as error:
        raise SettingError(
            "PICTURE_FORMATS has HEIC, but its reader is not installed: pip install 'facefleet[heic]'"
        ) from error
    heic.register()
