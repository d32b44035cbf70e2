"""What a study can find: the columns beside an estimate that say what chance alone makes."""

from __future__ import annotations

from facebias.evaluation.permutation import Chance

POWER = 0.8


def beside(chance: Chance, *, level: float, signed: bool, detectable: float) -> dict[str, float]:
    """Return the columns ``tables.CHANCE`` of an estimate.

    Parameters
    ----------
    chance
        What comes from chance alone.
    level
        1 - confidence of the band of chance.
    signed
        Whether the estimate may be below 0.
    detectable
        From ``detectable.of_gaps`` or ``detectable.of_shift``.
    """
    median, low, high = chance.band(confidence=1 - level, signed=signed)
    return {
        "p_value": chance.p_value,
        "p_floor": chance.p_floor,
        "null_median": median,
        "null_low": low,
        "null_high": high,
        "detectable": detectable,
    }
