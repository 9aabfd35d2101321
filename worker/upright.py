"""From a picture as its file stores it to upright sRGB pixels: EXIF orientation, colour profile, pixel format."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile

_ORIENTATION = 0x0112  # EXIF's tag; below, its values and what turns a picture that carries them upright
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = frozenset({5, 6, 7, 8})


def orientation(image: ImageFile.ImageFile) -> int:
    """Return EXIF's orientation, 1 to 8, of a loaded picture; 1 where the block is absent, broken or nonsense."""
    try:
        value = image.getexif().get(_ORIENTATION)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a broken block must not cost the picture, whatever its parser raises
        return 1
    return value if isinstance(value, int) and value in _UPRIGHT else 1


def upright_pixels(image: Image.Image, orientation: int) -> NDArray[np.uint8]:
    """Return (h, w, 3) uint8 sRGB, C-contiguous and writable."""
    image = _as_srgb(image)
    return np.array(image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image)


def _as_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16"):  # Pillow's conversion clips: 256 and 65535 would both be white
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode not in {"RGB", "CMYK"}:
        image = image.convert("RGB")
    image = (profile and _through_profile(image, profile)) or image
    return image if image.mode == "RGB" else image.convert("RGB")


def _through_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Convert to sRGB; None where the profile is sRGB already, broken, or made for other channels."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
