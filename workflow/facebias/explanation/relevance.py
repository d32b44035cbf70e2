"""How much relevance lies in a region of the face, for one clip.

A larger region holds more relevance by its size alone, so every share stands beside the area of its
region, and their ratio says how many times more relevance it has than an even spread over the face
would give.
"""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """Relevance of R regions in a clip of T frames. Missing (NaN): an empty region, or no mass.

    Attributes
    ----------
    positive
        (R,) positive relevance inside over all positive relevance, 0 to 1 (relevance mass
        accuracy; Kohlbrenner et al. 2020, Arras et al. 2022).
    absolute
        (R,) the same of absolute relevance.
    signed
        (R,) sum of relevance inside over all absolute relevance, -1 to 1.
    rank_accuracy
        (R,) of as many pixels with the highest relevance as the region has, the share inside, 0 to
        1 (relevance rank accuracy; the same papers). Of pixels that tie for the last places, the
        region gets its part.
    pointing
        (R,) whether the pixel with the highest relevance lies inside, 1 or 0; of several, the share
        (pointing game; Zhang et al. 2018, here without tolerance).
    area
        (R,) pixels of the region over pixels of the face; may be above 1 outside of it.
    ratio
        (R,) ``positive`` over ``area``.
    absolute_ratio, signed_ratio, rank_accuracy_ratio, pointing_ratio
        (R,) the others over ``area``.
    frames
        (R, T) ``positive`` frame by frame.
    """

    positive: np.ndarray
    absolute: np.ndarray
    signed: np.ndarray
    rank_accuracy: np.ndarray
    pointing: np.ndarray
    area: np.ndarray
    ratio: np.ndarray
    absolute_ratio: np.ndarray
    signed_ratio: np.ndarray
    rank_accuracy_ratio: np.ndarray
    pointing_ratio: np.ndarray
    frames: np.ndarray


def measure(relevance: np.ndarray, regions: np.ndarray, face: np.ndarray) -> Measured:
    """Measure the relevance of a clip in its regions.

    Parameters
    ----------
    relevance
        (T, H, W), any scale.
    regions
        (R, T, H, W) truth.
    face
        (T, H, W) truth.

    Examples
    --------
    Three quarters of the positive relevance lie in a region as large as half of the face:

    >>> import numpy as np
    >>> region = np.array([[[[True, False], [False, False]]]])
    >>> face = np.array([[[True, True], [False, False]]])
    >>> found = measure(np.array([[[3.0, 1.0], [0.0, -1.0]]]), region, face)
    >>> [getattr(found, name)[0].item() for name in ("positive", "area", "ratio", "absolute")]
    [0.75, 0.5, 1.5, 0.6]
    """
    flat = relevance.astype(np.float64).ravel()
    inside = regions.reshape(len(regions), flat.size)
    sizes = inside.sum(axis=1)
    present, gain = sizes > 0, np.maximum(flat, 0)
    area = _over(sizes, face.sum(), present)
    total = np.abs(flat).sum()
    shares = {
        "positive": _over(inside @ gain, gain.sum(), present),
        "absolute": _over(inside @ np.abs(flat), total, present),
        "signed": _over(inside @ flat, total, present),
        "rank_accuracy": _over(_highest(flat, inside, sizes), sizes, present & (gain.sum() > 0)),
        "pointing": _pointed(flat, inside, present),
    }
    ratios = {f"{name}_ratio": _over(share, area, present) for name, share in shares.items()}
    return Measured(
        **shares,
        area=area,
        ratio=ratios.pop("positive_ratio"),
        **ratios,
        frames=_by_frame(relevance, regions),
    )


def _over(numerator: np.ndarray, denominator: np.ndarray | float, known: np.ndarray) -> np.ndarray:
    denominator = np.broadcast_to(np.asarray(denominator, dtype=np.float64), known.shape)
    missing = np.full(known.shape, np.nan)
    return np.divide(numerator, denominator, out=missing, where=known & (denominator > 0))


def _highest(flat: np.ndarray, inside: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Count, per region, those inside of as many pixels with the highest relevance as it has."""
    ranked = np.sort(flat)[::-1]
    found = np.zeros(len(sizes))
    for place, size in enumerate(sizes):
        if size == 0:
            continue
        last = ranked[size - 1]
        above, tied = flat > last, flat == last
        left = (size - above.sum()) / tied.sum()
        found[place] = (inside[place] & above).sum() + left * (inside[place] & tied).sum()
    return found


def _pointed(flat: np.ndarray, inside: np.ndarray, present: np.ndarray) -> np.ndarray:
    highest = flat == flat.max()
    if flat.max() <= 0:
        return np.full(len(present), np.nan)
    return _over(inside @ highest.astype(float), highest.sum(), present)


def _by_frame(relevance: np.ndarray, regions: np.ndarray) -> np.ndarray:
    gain = np.maximum(relevance.astype(np.float64), 0)
    inside = np.einsum("rthw,thw->rt", regions, gain)
    present = regions.any(axis=(2, 3))
    return _over(inside, gain.sum(axis=(1, 2))[None], present)
