"""What is said about a gap, and among which tests: the values of the columns that are judged.

Every room asks here: nobody else writes these words, or takes them apart.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

# Of the column `family`: declared beforehand; all others; single labels, corrected for each other.
PRIMARY, EXPLORATORY, LABELS = "primary", "exploratory", "labels"
# Of the column `verdict`; so begin, too, those that go on to say why.
FOUND, UNCLEAR, MISSING = "gap found", "cannot tell", "not estimable"


def no_larger(margin: float) -> str:
    """Word the verdict that a gap is no larger than the margin."""
    return f"no gap larger than {margin:g}"


def unclear_of(why: pd.Series) -> pd.Series:
    """Word the verdict that nothing can be told, with the reason."""
    return f"{UNCLEAR}: " + why


def found(frame: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows with a gap that was found."""
    return frame[frame["verdict"] == FOUND]


def corrected_p(frame: pd.DataFrame) -> np.ndarray:
    """Return the p-value of each row that is corrected for the number of tests in its family."""
    return np.where(frame["family"] == EXPLORATORY, frame["q_bh"], frame["p_holm"])
