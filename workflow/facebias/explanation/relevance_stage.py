"""The stage ``relevance``: what the heatmaps of one model show, region by region. No network."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from facebias import tables
from facebias.clips.store import open_clips
from facebias.core import action_units, progress
from facebias.core.replacement import replacing
from facebias.explanation import alignment, regions
from facebias.explanation.landmarks import Landmarks
from facebias.explanation.relevance import Measured, measure
from facebias.stages.evaluation import Relevance
from facebias.study import StudyError

MEASURES = tuple(field.name for field in dataclasses.fields(Measured) if field.name != "frames")


@dataclasses.dataclass(frozen=True)
class Heatmaps:
    """What ``explain`` wrote: ``facts`` (``tables.EXPLANATIONS``), ``relevance`` (n, T, H, W) of
    the same samples, and the side of the crops in pixels."""

    facts: pd.DataFrame
    relevance: np.ndarray
    crop_size: int


def read(explanations: Path, relevance: Path) -> Heatmaps:
    """Read the heatmaps of one model.

    Raises
    ------
    StudyError
        If table and arrays are not of the same samples.
    """
    facts = tables.read(explanations, tables.EXPLANATIONS)
    with np.load(relevance, allow_pickle=False) as arrays:
        if arrays["sample"].tolist() != facts["sample"].tolist():
            raise StudyError(
                f"{relevance}: its samples are not those of {explanations}; "
                "run the target heatmaps again"
            )
        # Each clip is divided by a number of its own; shares do not depend on it.
        return Heatmaps(facts, arrays["relevance"], arrays["faces"].shape[2])


def located(
    heatmaps: Heatmaps, landmarks: Landmarks, own: Mapping[str, Sequence[int]]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Measure every explained sample in every region.

    Parameters
    ----------
    heatmaps
        Of one model.
    landmarks
        Of their samples.
    own
        Action Units of labels, before the prototypes of emotions.

    Returns
    -------
    table
        ``tables.RELEVANCE``.
    maps
        (n, side, side): each sample's relevance on the face of the template (``alignment``).
    """
    _, n_frames, side, _ = heatmaps.relevance.shape
    rows, maps = [], []
    facts = heatmaps.facts.itertuples(index=False)
    pairs = progress.track(
        zip(facts, heatmaps.relevance, strict=True),
        total=len(heatmaps.facts),
        what="relevance",
        unit="samples",
    )
    for fact, given in pairs:
        found = landmarks.of(fact.sample, frames=n_frames, crop_size=heatmaps.crop_size)
        points = found.points * side / heatmaps.crop_size
        units = action_units.units_of(fact.explained, own)
        masks = regions.masks(points, units, side)
        inside = np.stack([masks[name] for name in regions.REGIONS])
        measured = measure(given, inside, masks[regions.FACE])
        middle = action_units.boxes(units, points[[n_frames // 2]])[0] / side
        maps.append(alignment.aligned(given.astype(np.float32), points))
        rows += [
            {
                "sample": fact.sample,
                "subject": fact.subject,
                "region": name,
                "landmarks": found.source,
                **{measure: getattr(measured, measure)[place] for measure in MEASURES},
                "frames": measured.frames[place].round(5).tolist(),
                "boxes": middle.round(4).ravel().tolist() if name == regions.OWN else [],
            }
            for place, name in enumerate(regions.REGIONS)
        ]
    first = heatmaps.facts.iloc[0]
    model = {name: first[name] for name in ("method", *tables.MODEL)}
    table = pd.DataFrame(rows).assign(**model)
    return tables.check(table, tables.RELEVANCE), np.stack(maps)


def write_maps(
    heatmaps: Heatmaps, maps: np.ndarray, own: Mapping[str, Sequence[int]], path: Path
) -> None:
    """Write ``.npz``: the mean map of every subject and explained label, and the template's face.

    ``subject``, ``label`` and ``n_samples`` (k,), ``relevance`` float32 (k, side, side),
    ``landmarks`` (68, 2) in pixels of the maps; ``boxes`` (k,) of the label's Action Units on that
    face, as text: left, top, right, bottom in pixels of the maps, one after the other.
    """
    shown = ~np.isnan(maps[:, 0, 0])
    facts = heatmaps.facts[shown]
    groups = facts.reset_index(drop=True).groupby(["subject", "explained"], sort=True).indices
    means = [maps[shown][places].mean(axis=0) for places in groups.values()]
    side, face = maps.shape[-1], alignment.template_on_grid()
    with replacing(path) as temporary:
        np.savez_compressed(
            temporary,
            subject=np.array([subject for subject, _ in groups], dtype=str),
            label=np.array([label for _, label in groups], dtype=str),
            n_samples=np.array([len(places) for places in groups.values()], dtype=int),
            relevance=np.array(means, dtype=np.float32).reshape(len(means), side, side),
            landmarks=face,
            boxes=np.array([_boxes_on(face, label, own) for _, label in groups], dtype=str),
        )


def _boxes_on(face: np.ndarray, label: str, own: Mapping[str, Sequence[int]]) -> str:
    """Write the boxes of a label's Action Units on one face (68, 2)."""
    found = action_units.boxes(action_units.units_of(label, own), face[None])[0]
    return " ".join(f"{value:.2f}" for value in found.ravel())


def main(arguments: list[str]) -> None:
    """Measure the relevance of one model's heatmaps in the regions of the face."""
    given = Relevance.of(arguments)
    own = given.settings.units
    heatmaps = read(given.explanations, given.relevance)
    samples = heatmaps.facts["sample"].tolist()
    landmarks = Landmarks(open_clips(given.index), given.landmarks, samples)
    table, maps = located(heatmaps, landmarks, own)
    write_maps(heatmaps, maps, own, given.maps)
    tables.write(table, given.out, tables.RELEVANCE)
