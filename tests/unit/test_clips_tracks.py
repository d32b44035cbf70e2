"""One face is followed through the frames of a clip."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facebias.clips import tracks


def face(x: float, side: float = 100.0, y: float = 50.0) -> list[float]:
    return [x, y, x + side, y + side]


def followed(*frames: list[list[float]]) -> list[int | None]:
    return tracks.largest([np.reshape(np.array(boxes, float), (-1, 4)) for boxes in frames])


def test_two_of_like_size_are_not_swapped():
    left, right = [face(100, 100 + d) for d in (1, 0, 1, 0, 1)], [face(900)] * 5
    frames = [list(pair) for pair in zip(left, right, strict=True)]
    assert followed(*frames) == [0] * 5
    # In whatever order the detector reports them.
    turned = [boxes[::-1] if n % 2 else boxes for n, boxes in enumerate(frames)]
    assert followed(*turned) == [0, 1, 0, 1, 0]


def test_two_in_turn_leave_one():
    assert followed([face(100)], [face(900)], [face(100)], [face(900)], [face(105)]) == (
        [0, None, 0, None, 0]
    )


def test_small_but_lasting_face_outranks_a_large_one_that_passes():
    assert followed([face(0)], [face(2), face(300, 150)], [face(1)], [face(0)]) == [0, 0, 0, 0]


def test_larger_of_two_that_last_is_taken():
    assert followed(*[[face(0), face(300, 150)]] * 3) == [1] * 3


def test_face_is_found_again_where_it_was_lost():
    assert followed([face(0)], [], [face(20)]) == [0, None, 0]


@pytest.mark.parametrize(("step", "same"), [(0, True), (80, True), (85, False)])
def test_face_may_move_by_four_fifths_of_its_width(step, same):
    assert (None not in followed(*([face(step * n)] for n in range(4)))) == same


def test_of_two_that_overlap_each_is_the_nearer_to_itself():
    """Cheek to cheek, both move; the first box overlaps both of the second frame."""
    assert followed([face(0, 110), face(80)], [face(10, 110), face(90)]) == [0, 0]
    assert followed([face(0, 110), face(80)], [face(90), face(10, 110)]) == [0, 1]


def test_nobody():
    assert followed([], []) == [None, None]
    assert tracks.largest([]) == []


PLACES = st.integers(0, 4).map(lambda place: face(250.0 * place, 100 + 10 * place))


@given(st.lists(st.lists(PLACES, max_size=4, unique_by=tuple), max_size=6), st.randoms())
def test_who_is_followed_does_not_depend_on_the_order_of_detections(frames, random):
    """The face that is followed stays in one place, and no other face covers more area in total."""

    def chosen_of(frames):
        rows = followed(*frames)
        return [b[row] for b, row in zip(frames, rows, strict=True) if row is not None]

    chosen = chosen_of(frames)
    assert len({box[0] for box in chosen}) <= 1
    again = chosen_of([random.sample(boxes, len(boxes)) for boxes in frames])

    def total(boxes):
        return sum((right - left) * (bottom - top) for left, top, right, bottom in boxes)

    assert total(again) == total(chosen)
    everywhere = {box[0] for boxes in frames for box in boxes}
    sums = [total([b for boxes in frames for b in boxes if b[0] == x]) for x in everywhere]
    assert total(chosen) == max(sums, default=0)
