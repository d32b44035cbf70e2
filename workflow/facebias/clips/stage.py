"""The stage ``extract``: cut the clips of one shard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from facebias import tables
from facebias.clips import UnusableError, faces, location, store
from facebias.clips.decode import Footage
from facebias.clips.faces import one_thread
from facebias.clips.location import Located
from facebias.core.progress import track
from facebias.stages.clips import Extract
from facebias.study import Preprocessing


def main(arguments: list[str]) -> None:
    """Write the array and the index of one shard."""
    given = Extract.of(arguments)
    settings = given.settings.clips
    manifest = tables.read(given.manifest, tables.MANIFEST)
    samples = manifest.iloc[given.shard :: settings.shards]
    found = None
    if given.faces:
        found = tables.read(given.faces, tables.FACES).set_index("sample", drop=False)
    one_thread()
    with threadpool_limits(limits=1):
        index = extract(samples, settings, shard=given.shard, out=given.out, found=found)
    tables.write(index, given.index, tables.CLIPS)
    print(f"extract: {(index['row'] >= 0).sum()} clips, {(index['row'] < 0).sum()} left out")


def extract(
    samples: pd.DataFrame,
    settings: Preprocessing,
    *,
    shard: int,
    out: Path | str,
    found: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Cut the clips of ``samples`` (rows of the manifest) and write them to ``out``.

    ``found``: ``tables.FACES`` indexed by sample, where the faces of these samples have been found;
    without it they are looked for here.

    Returns
    -------
    DataFrame
        ``tables.CLIPS``: one row per sample; those left out have row -1 and a reason.
    """
    detector = None if found is not None else faces.Detector(settings)
    rows = []
    with store.writing(out, frames=settings.frames, side=settings.crop_size) as writer:
        for sample, path in _tracked(samples):
            row: dict[str, object] = {"sample": sample, "shard": shard}
            try:
                if found is None:
                    clip, facts = make_clip(Path(path), settings, detector)
                else:
                    clip, facts = cut_clip(Path(path), settings, location.read(found.loc[sample]))
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
    located, frames = location.locate(Footage(path), settings, detector)
    return _cut(frames, located, settings)


def cut_clip(
    path: Path, settings: Preprocessing, located: Located
) -> tuple[np.ndarray, dict[str, object]]:
    """Turn one video or picture, whose faces are known, into a clip, as ``make_clip`` does."""
    return _cut(list(Footage(path).colour(located.key_frames)), located, settings)


def _cut(
    frames: Sequence[np.ndarray], located: Located, settings: Preprocessing
) -> tuple[np.ndarray, dict[str, object]]:
    found = located.faces
    crops = faces.cut(frames, found, settings)
    return crops.pixels, {
        "faces": found.faces,
        "probability": float(np.nanmean(found.probability)),
        "key_frames": located.key_frames,
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
