"""Key frames of a video: K-means on small grey frames, the frame nearest to each centre.

The method is that of Domnich & Anbarjafari (2021), section 3: K = 10 from the whole video, 20 after
the first 100 frames, 50 as 20 from the first half and 30 from the second.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from facebias.clips import UnusableError
from facebias.study import Window

# Starts of K-means; the best is kept. More change little on frames that follow one another.
STARTS = 2


def choose(grey: np.ndarray, windows: Sequence[Window], *, seed: int) -> list[int]:
    """Choose the key frames of a video.

    Parameters
    ----------
    grey
        uint8 array (frames, side, side): small grey frames.
    windows
        Stretches of the video and how many key frames each gives.
    seed
        Seed of K-means.

    Returns
    -------
    list of int
        Numbers of the frames, in time order; as many as all windows ask for. Within a window no
        frame stands twice.

    Raises
    ------
    UnusableError
        If a window holds fewer frames than it shall give.
    """
    chosen: list[int] = []
    for number, window in enumerate(windows, start=1):
        start, stop = span(len(grey), window)
        if stop - start < window.k:
            raise UnusableError(f"too short: {_shortage(len(grey), stop - start, number, window)}")
        chosen += [start + frame for frame in _nearest(grey[start:stop], window.k, seed)]
    return sorted(chosen)


def span(frames: int, window: Window) -> tuple[int, int]:
    """First frame and the one after the last of a window, of a video of so many frames.

    ``part`` is a share of what remains after ``skip_frames``; neighbouring parts share no frame.
    """
    remaining = max(frames - window.skip_frames, 0)
    low, high = (round(share * remaining) for share in window.part)
    return window.skip_frames + low, window.skip_frames + high


def _shortage(frames: int, inside: int, number: int, window: Window) -> str:
    text = f"{frames} frame{'s' * (frames != 1)}, window {number} needs {window.k}"
    if inside < frames:
        text += f" and holds {inside}"
    return text


def _nearest(grey: np.ndarray, k: int, seed: int) -> list[int]:
    if len(grey) == k:
        return list(range(k))
    vectors = grey.reshape(len(grey), -1).astype(np.float32)
    with warnings.catch_warnings():
        # Fewer distinct frames than k: the rest is filled up below.
        warnings.simplefilter("ignore", ConvergenceWarning)
        means = KMeans(k, n_init=STARTS, random_state=seed, copy_x=False).fit(vectors)
    distance = means.transform(vectors)[np.arange(len(vectors)), means.labels_]
    nearest = []
    for cluster in np.unique(means.labels_):
        members = np.flatnonzero(means.labels_ == cluster)
        nearest.append(int(members[distance[members].argmin()]))
    return nearest + _spread(sorted(set(range(len(grey))) - set(nearest)), k - len(nearest))


def _spread(frames: list[int], n: int) -> list[int]:
    """Take ``n`` of ``frames``, evenly spaced."""
    return [frames[(2 * step + 1) * len(frames) // (2 * n)] for step in range(n)]
