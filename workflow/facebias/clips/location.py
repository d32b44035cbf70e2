"""The stage ``locate``: key frames and faces of one shard, for all who cut them in their own way.

To find a face takes most of the time of a clip. Variants that differ in margin, crop size or box
only share what is found here: it is decoded and looked through once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from facebias import tables
from facebias.clips import UnusableError, faces, keyframes
from facebias.clips.decode import Footage
from facebias.clips.faces import Detections
from facebias.core.progress import track
from facebias.stages.clips import Locate
from facebias.study import Locating


@dataclasses.dataclass(frozen=True)
class Located:
    """The numbers of a sample's key frames, from 0, and the face in each of them."""

    key_frames: list[int]
    faces: Detections


def locate(
    footage: Footage, settings: Locating, detector: faces.Detector
) -> tuple[Located, list[np.ndarray]]:
    """Choose the key frames of a video or picture and find the face in each.

    Returns
    -------
    located
        Where the faces are.
    frames
        The key frames themselves, uint8 arrays (height, width, 3), RGB.

    Raises
    ------
    UnusableError
        With the reason in words.
    """
    grey = footage.grey(settings.cluster_size)
    key_frames = keyframes.choose(grey, settings.windows, seed=settings.seed)
    frames = list(footage.colour(key_frames))
    return Located(key_frames, detector.find(frames)), frames


def table(samples: pd.DataFrame, settings: Locating) -> pd.DataFrame:
    """Locate the faces of ``samples`` (rows of the manifest).

    Returns
    -------
    DataFrame
        ``tables.FACES``: one row per sample; one that cannot be read has a reason and no frames.
    """
    detector = faces.Detector(settings)
    rows = []
    pairs = zip(samples["sample"], samples["path"], strict=True)
    for sample, path in track(pairs, total=len(samples), what="locate faces", unit="samples"):
        try:
            found = locate(Footage(Path(path)), settings, detector)[0]
            rows.append({"sample": sample, "reason": None, **_plain(found)})
        except UnusableError as reason:
            rows.append({"sample": sample, "reason": str(reason), **_NOTHING})
    return tables.check(pd.DataFrame(rows, columns=[*tables.FACES.columns]), tables.FACES)


def read(row: Mapping[str, object]) -> Located:
    """Return what a row of ``tables.FACES`` says.

    Raises
    ------
    UnusableError
        If the sample could not be read, with the reason in words.
    """
    if row["reason"] is not None:
        raise UnusableError(str(row["reason"]))
    key_frames = [int(number) for number in row["key_frames"]]
    n = len(key_frames)
    found = Detections(
        boxes=np.reshape(row["boxes"], (n, 4)),
        landmarks=np.reshape(row["landmarks"], (n, 5, 2)),
        probability=np.asarray(row["probability"], dtype=float),
        counts=np.asarray(row["counts"], dtype=int),
    )
    return Located(key_frames, found)


def _plain(found: Located) -> dict[str, object]:
    return {
        "key_frames": found.key_frames,
        "counts": found.faces.counts.tolist(),
        "probability": found.faces.probability.tolist(),
        "boxes": found.faces.boxes.ravel().tolist(),
        "landmarks": found.faces.landmarks.ravel().tolist(),
    }


_NOTHING: dict[str, object] = {
    name: [] for name, kind in tables.FACES.columns.items() if kind == "numbers"
}


def main(arguments: list[str]) -> None:
    """Write where the faces of one shard are."""
    given = Locate.of(arguments)
    settings = given.settings.locating
    manifest = tables.read(given.manifest, tables.MANIFEST)
    faces.one_thread()
    with threadpool_limits(limits=1):
        found = table(manifest.iloc[given.shard :: settings.shards], settings)
    tables.write(found, given.out, tables.FACES)
