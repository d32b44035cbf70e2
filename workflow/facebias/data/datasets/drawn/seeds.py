"""Random numbers that belong to a thing, not to the order in which things are made."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, *identity: str | int) -> np.random.Generator:
    """Return the generator of one thing, such as ``(seed, "film", "P001", "happiness", 2)``.

    The same identity gives the same numbers, whatever else is drawn before, beside or after it.
    Words enter by their CRC-32, whole numbers as they are.
    """
    words = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in identity]
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))
