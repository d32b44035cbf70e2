"""Picture files of any mode, read as upright RGB of 8 bits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, ImageSequence

from facebias.clips import UnusableError, formats, require_file

# Values of a picture with more than 8 bits end at one of these: 8, 10, 12, 14, 16, 24, 31, 32 bits.
TOPS = tuple(2.0**bits - 1 for bits in (8, 10, 12, 14, 16, 24, 31, 32))
# Decimal numbers up to 1 may pass it by what sharpening or resizing adds.
MOST_OF_ONE = 2.0
BITS_PER_SAMPLE, LARGEST_VALUE = 258, 281  # of TIFF


def read_picture(path: Path, top: float | None = None) -> np.ndarray:
    """Read a picture of any mode (grey, palette, transparent, CMYK, 10 to 32 bits) as upright RGB.

    Parameters
    ----------
    path
        The file.
    top
        The value that is white in a picture with more than 8 bits; None: see ``white``.

    Returns
    -------
    uint8 array (height, width, 3). Transparent parts, and values that are no number, are black.

    Raises
    ------
    UnusableError
        If the file is no picture or is cut short.
    """
    with _opened(path) as picture:
        return _rgb(picture, top)


def read_animation(path: Path) -> Iterator[np.ndarray]:
    """Read the frames of a picture one after the other, as ``read_picture`` does."""
    with _opened(path) as picture:
        for frame in ImageSequence.Iterator(picture):
            yield _rgb(frame, None)


def is_animated(path: Path) -> bool:
    """Return whether a picture holds several frames; a file that cannot be read holds none."""
    if path.suffix.lower() not in formats.ANIMATED:
        return False
    try:
        with _opened(path) as picture:
            return getattr(picture, "n_frames", 1) > 1
    except UnusableError:
        return False


def white(path: Path) -> float | None:
    """Return the value that is white in a picture: the end of the range that its values need.

    The number of bits is seldom declared: cameras and converters put 10 or 12 bits into files of
    16. Where a TIFF declares its bits or its largest value, the range reaches at least so far.
    None for a picture of 8 bits.

    Raises
    ------
    UnusableError
        If the file is no picture or is cut short.
    """
    with _opened(path) as picture:
        return _white(picture) if _is_deep(picture) else None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    require_file(path)
    try:
        with Image.open(path, formats=formats.READERS) as opened:
            yield opened
    except UnusableError:
        raise
    except FileNotFoundError:
        raise UnusableError("no such file") from None
    except Image.DecompressionBombError:
        raise UnusableError("picture too large: more pixels than Pillow agrees to open") from None
    except Exception as error:  # Pillow's readers raise nearly anything on damaged files
        raise UnusableError(_why_no_picture(path, error)) from None


def _rgb(opened: Image.Image, top: float | None) -> np.ndarray:
    picture = ImageOps.exif_transpose(opened)
    if _is_deep(picture):
        values = _values(picture) * (255.0 / (_white(opened) if top is None else top))
        picture = Image.fromarray(np.clip(values, 0, 255).round().astype(np.uint8))
    if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA"):
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture)
    return np.array(picture.convert("RGB"))


def _is_deep(picture: Image.Image) -> bool:
    return picture.mode in ("I", "F") or picture.mode.startswith("I;16")


def _values(picture: Image.Image) -> np.ndarray:
    values = np.asarray(picture).astype(np.float64)
    if np.isnan(values).all():
        raise UnusableError("damaged picture: none of its values is a number")
    return np.nan_to_num(values, nan=0.0, posinf=np.inf, neginf=0.0)


def _white(picture: Image.Image) -> float:
    values = _values(picture)
    needed = max(float(values[np.isfinite(values)].max(initial=0)), _declared(picture))
    if picture.mode == "F" and needed <= MOST_OF_ONE:
        return 1.0
    return next((top for top in TOPS if needed <= top), needed)


def _declared(picture: Image.Image) -> float:
    """Return the largest value that a file says its pixels may have, 0 where it does not say."""
    if picture.format == "PPM":
        return 2.0**16 - 1  # Pillow has scaled the values to 16 bits
    tags = getattr(picture, "tag_v2", {})
    largest, bits = tags.get(LARGEST_VALUE), tags.get(BITS_PER_SAMPLE)
    if largest is not None:
        return float(np.max(largest))
    # Files of 16 and 32 bits are what programs write whatever the camera had.
    return 2.0 ** float(bits[0]) - 1 if bits and bits[0] not in (16, 32, 64) else 0.0


def _why_no_picture(path: Path, error: Exception) -> str:
    if path.stat().st_size == 0:
        return "empty file: 0 bytes"
    if isinstance(error, OSError) and "truncated" in str(error).lower():
        return "truncated picture: the file ends too early"
    if isinstance(error, Image.UnidentifiedImageError):
        return "not a picture: the content is of no known picture format"
    return "damaged picture: it cannot be read to its end"
