"""Key frames: how many, from where, in which order."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from facebias.clips import UnusableError, keyframes
from media import window


def shades(levels: list[int], side: int = 8) -> np.ndarray:
    """Grey frames, each of one level."""
    return np.repeat(np.array(levels, np.uint8), side * side).reshape(-1, side, side)


def noise(frames: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (frames, 8, 8), dtype=np.uint8)


PUBLISHED = {
    10: [window(10)],
    20: [window(20, skip_frames=100)],
    50: [window(20, part=(0.0, 0.5)), window(30, part=(0.5, 1.0))],
}


@pytest.mark.parametrize("k", PUBLISHED)
def test_published_windows(k):
    frames = keyframes.choose(noise(350), PUBLISHED[k], seed=1)
    assert len(frames) == len(set(frames)) == k
    assert frames == sorted(frames)
    assert max(frames) < 350
    if k == 20:
        assert min(frames) >= 100
    if k == 50:
        assert sum(frame < 175 for frame in frames) == 20


def test_one_frame_per_scene_nearest_to_its_centre():
    # Scenes of levels around 20, 120 and 220; the means are 20, 121 and 220.
    levels = [10, 20, 30, 110, 121, 132, 210, 220, 230]
    assert keyframes.choose(shades(levels), [window(3)], seed=5) == [1, 4, 7]


def test_is_deterministic_and_seeded_by_nothing_else():
    grey = noise(120)
    first = keyframes.choose(grey, [window(7)], seed=3)
    np.random.default_rng().random(10)
    assert keyframes.choose(grey, [window(7)], seed=3) == first


@pytest.mark.parametrize("distinct", [1, 2, 3])
def test_still_video_gives_k_different_frames(distinct):
    levels = sorted([40 * (n % distinct) for n in range(20)])
    frames = keyframes.choose(shades(levels), [window(4)], seed=1)
    assert len(set(frames)) == 4
    assert frames == sorted(frames)
    # Every different picture is among them.
    assert len({levels[frame] for frame in frames}) == distinct


def test_memory_of_clustering_is_a_few_copies_of_the_small_frames():
    grey = np.random.default_rng(0).integers(0, 256, (4000, 32, 32), dtype=np.uint8)
    keyframes.choose(grey[:50], [window(3)], seed=1)  # what is imported and kept comes first
    tracemalloc.start()
    keyframes.choose(grey, [window(3)], seed=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    as_floats = 4 * grey.nbytes
    assert as_floats < peak < 2.5 * as_floats


def test_as_many_frames_as_asked_are_all_taken():
    assert keyframes.choose(noise(5), [window(5)], seed=1) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("frames", [0, 1, 7, 100, 101, 351])
@pytest.mark.parametrize("skip", [0, 100])
def test_neighbouring_parts_tile_what_remains(frames, skip):
    first = keyframes.span(frames, window(1, skip, (0.0, 0.5)))
    second = keyframes.span(frames, window(1, skip, (0.5, 1.0)))
    assert first[0] == skip
    assert first[1] == second[0]
    assert second[1] == max(frames, skip)


@pytest.mark.parametrize(
    ("frames", "windows", "reason"),
    [
        (12, [window(20)], "too short: 12 frames, window 1 needs 20"),
        (1, [window(4)], "too short: 1 frame, window 1 needs 4"),
        (110, [window(20, skip_frames=100)], "110 frames, window 1 needs 20 and holds 10"),
        (50, [window(20, skip_frames=100)], "50 frames, window 1 needs 20 and holds 0"),
        (50, PUBLISHED[50], "50 frames, window 2 needs 30 and holds 25"),
    ],
)
def test_too_short(frames, windows, reason):
    with pytest.raises(UnusableError, match=reason):
        keyframes.choose(noise(frames), windows, seed=1)
