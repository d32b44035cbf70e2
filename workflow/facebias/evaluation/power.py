"""What a study can find: the smallest detectable gap of a result, and a planner of new studies."""

from __future__ import annotations

import numpy as np
from scipy import special

from facebias.evaluation.permutation import Chance

POWER = 0.8


def beside(chance: Chance, spread: float, *, level: float, signed: bool) -> dict[str, float]:
    """Give the columns ``tables.CHANCE`` of an estimate with standard deviation ``spread``."""
    median, low, high = chance.band(confidence=1 - level, signed=signed)
    return {
        "p_value": chance.p_value,
        "p_floor": chance.p_floor,
        "null_median": median,
        "null_low": low,
        "null_high": high,
        "detectable": detectable(chance.critical(level), spread),
    }


def detectable(critical: float, spread: float) -> float:
    """Give the gap that is found in 80 of 100 such studies: estimates spread normally around it.

    ``critical`` is the smallest gap that chance makes unusual, ``spread`` the standard deviation
    of an estimate between studies.
    """
    return critical + float(special.ndtri(POWER)) * spread if np.isfinite(critical) else np.nan
