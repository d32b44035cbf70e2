"""The mouth as it is drawn: what shows between the lips."""

import numpy as np
import pytest

from facebias.data.datasets.drawn import mouth
from facebias.data.datasets.drawn.paint import Brush

UNIT = 100


def opened(gap: float) -> np.ndarray:
    """Draw what shows of a straight mouth that is ``gap`` half face widths open."""
    x = np.linspace(40, 160, 89)
    upper = np.stack([x, np.full_like(x, 50)], axis=1)
    picture = np.zeros((200, 200, 3), np.float32)
    lower = np.stack([x, upper[:, 1] + gap * UNIT], axis=1)[::-1]
    mouth._cavity(Brush(picture, UNIT), upper, lower)
    return picture


def rows(picture: np.ndarray, colour: np.ndarray) -> int:
    """Count the rows of a colour in the middle column."""
    return int((np.abs(picture[:, 100] - colour).max(axis=1) < 30).sum())


@pytest.mark.parametrize("gap", [0.2, 0.4, 0.6])
def test_teeth_hang_a_tenth_of_a_half_face_into_an_open_mouth(gap):
    # The shadow of the lip covers their upper half.
    assert 3 <= rows(opened(gap), mouth.TEETH) <= 8


def test_a_closed_mouth_shows_nothing():
    assert not opened(0.01).any()


def test_a_tongue_shows_in_a_mouth_that_is_wide_open():
    assert rows(opened(0.1), mouth.TONGUE) == 0
    assert rows(opened(0.6), mouth.TONGUE) > 10
