"""From a picture as its file stores it to upright sRGB pixels: EXIF orientation, colour profile, pixel format."""

import io
from functools import lru_cache

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

# A transform takes 1 ms to make, and most pictures of the world carry one of a few profiles, of 0.5 to 60 kB.
TRANSFORMS_KEPT = 16
MAX_KEPT = 1 << 16  # bytes of a profile


def orientation(image: ImageFile.ImageFile) -> int:
    """Return EXIF's orientation, 1 to 8, of a loaded picture; 1 where the block is absent, broken or nonsense."""
    try:
        value = image.getexif().get(_ORIENTATION)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a broken block must not cost the picture, whatever its parser raises
        return 1
    return value if isinstance(value, int) and value in _UPRIGHT else 1


def upright_pixels(image: Image.Image, orientation: int, profile: bytes | None) -> NDArray[np.uint8]:
    """Return (h, w, 3) uint8 sRGB, C-contiguous and writable."""
    image = _as_srgb(image, profile)
    return np.array(image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image)


def _as_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode.startswith("I;16"):  # Pillow's conversion clips: 256 and 65535 would both be white
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode not in {"RGB", "CMYK"}:
        image = image.convert("RGB")
    image = (profile and _through_profile(image, profile)) or image
    return image if image.mode == "RGB" else image.convert("RGB")


def _through_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Convert to sRGB; None where the profile is sRGB already, broken, or made for other channels."""
    transform = _kept_transform if len(profile) <= MAX_KEPT else _transform
    try:
        to_srgb = transform(profile, image.mode)
        return to_srgb.apply(image) if to_srgb else None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return what converts pictures of a mode to sRGB; None where that changes nothing that can be seen."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    made = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    return made if mode != "RGB" or _changes(made) else None


def _changes(transform: ImageCms.ImageCmsTransform) -> bool:
    """Tell whether a transform moves any colour of a lattice of 17 x 17 x 17 by more than one of 256 levels."""
    steps = np.linspace(0, 255, 17).astype(np.uint8)
    lattice = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(17, -1, 3)
    moved = np.asarray(transform.apply(Image.fromarray(lattice)))
    return bool((np.abs(moved.astype(int) - lattice) > 1).any())


_kept_transform = lru_cache(TRANSFORMS_KEPT)(_transform)
