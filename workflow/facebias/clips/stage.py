"""The stage ``extract``: cut the clips of one shard."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from facebias import tables
from facebias.clips import UnusableError, faces, keyframes, store
from facebias.clips.decode import Footage
from facebias.progress import track
from facebias.study import Preprocessing, read_settings


def main(arguments: list[str]) -> None:
    """Write the array and the index of one shard."""
    parser = argparse.ArgumentParser(prog="facebias extract", description=__doc__)
    parser.add_argument("--settings", required=True, help="JSON with clips")
    parser.add_argument("--manifest", required=True, help="manifest.csv")
    parser.add_argument("--shard", required=True, type=int, help="number of the shard, from 0")
    parser.add_argument("--out", required=True, help="shard-III.npy")
    parser.add_argument("--index", required=True, help="shard-III.parquet")
    given = parser.parse_args(arguments)
    (settings,) = read_settings(given.settings, clips=Preprocessing)
    manifest = tables.read(given.manifest, tables.MANIFEST)
    samples = manifest.iloc[given.shard :: settings.shards]
    one_thread()
    with threadpool_limits(limits=1):
        index = extract(samples, settings, shard=given.shard, out=given.out)
    tables.write(index, given.index, tables.CLIPS)
    print(f"extract: {(index['row'] >= 0).sum()} clips, {(index['row'] < 0).sum()} left out")


def one_thread() -> None:
    """Keep to one core: the shards share the machine, and sums stay in one order."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def extract(
    samples: pd.DataFrame, settings: Preprocessing, *, shard: int, out: Path | str
) -> pd.DataFrame:
    """Cut the clips of ``samples`` (rows of the manifest) and write them to ``out``.

    Returns
    -------
    DataFrame
        ``tables.CLIPS``: one row per sample; those left out have row -1 and a reason.
    """
    detector = faces.Detector(settings)
    rows = []
    with store.writing(out, frames=settings.frames, side=settings.crop_size) as writer:
        for sample, path in _tracked(samples):
            row: dict[str, object] = {"sample": sample, "shard": shard}
            try:
                clip, facts = make_clip(Path(path), settings, detector)
                row |= {"row": writer.append(clip), "reason": None, **facts}
            except UnusableError as reason:
                row |= {"row": -1, "reason": str(reason), **_NOTHING}
            rows.append(row)
    return tables.check(pd.DataFrame(rows, columns=[*tables.CLIPS.columns]), tables.CLIPS)


def make_clip(
    path: Path, settings: Preprocessing, detector: faces.Detector
) -> tuple[np.ndarray, dict[str, object]]:
    """Turn one video or picture into a clip.

    Returns
    -------
    clip
        uint8 array (frames, crop_size, crop_size, 3), RGB.
    facts
        Columns of ``tables.CLIPS``: ``faces``, ``probability`` (mean over the frames with a face),
        ``key_frames``, ``boxes``, ``landmarks``.

    Raises
    ------
    UnusableError
        With the reason in words.
    """
    footage = Footage(path)
    positions = keyframes.choose(
        footage.grey(settings.cluster_size), settings.windows, seed=settings.seed
    )
    frames = list(footage.colour(positions))
    found = detector.find(frames)
    crops = faces.cut(frames, found, settings)
    return crops.pixels, {
        "faces": found.faces,
        "probability": float(np.nanmean(found.probability)),
        "key_frames": positions,
        "boxes": crops.boxes.ravel().tolist(),
        "landmarks": crops.landmarks.ravel().round(3).tolist(),
    }


_NOTHING: dict[str, object] = {
    "faces": 0,
    "probability": np.nan,
    "key_frames": [],
    "boxes": [],
    "landmarks": [],
}


def _tracked(samples: pd.DataFrame) -> Iterator[tuple[str, str]]:
    pairs: Iterable[tuple[str, str]] = zip(samples["sample"], samples["path"], strict=True)
    return track(pairs, total=len(samples), what="extract faces", unit="samples")
