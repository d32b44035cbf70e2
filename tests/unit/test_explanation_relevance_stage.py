"""The stage that measures the heatmaps of one model in the regions of the face."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import studies
import yaml

from facebias import tables
from facebias.core import action_units
from facebias.explanation import alignment, landmarks, regions, relevance_stage
from facebias.explanation.template import TEMPLATE
from facebias.study import ConfigError, StudyError, configuration, settings
from facebias.workflow import checks

SIDE, CROP, FRAMES = 32, 64, 2
POINTS = TEMPLATE * 20.0 + [32, 26]  # of the crop
LABELS = ("happiness", "sadness", "unknown")


def written(folder, *, heat, samples=None):
    """Write what the stage reads: heatmaps of one person per label, clips, landmarks."""
    names = [f"s-{label}" for label in LABELS]
    facts = pd.DataFrame(
        {
            "method": "lrp", "architecture": "vgg16", "train_split": "regular", "fold": 0,
            "seed": 1, "row": range(3), "sample": names, "subject": "s", "label": LABELS,
            "predicted": LABELS, "explained": LABELS, "score": 1.0, "output": 1.0,
            "relevance": 1.0, "conserved": 1.0,
        }
    )  # fmt: skip
    tables.write(facts, folder / "e.csv", tables.EXPLANATIONS)
    np.savez(
        folder / "e.npz", relevance=heat.astype(np.float16), scale=np.ones(3),
        faces=np.zeros((3, 1, CROP, CROP, 3), np.uint8), sample=np.array(samples or names),
    )  # fmt: skip
    five = np.tile(landmarks.five(POINTS).ravel(), FRAMES).tolist()
    index = pd.DataFrame(
        {
            "sample": names, "shard": 0, "row": range(3), "reason": None, "faces": 1,
            "probability": 1.0, "key_frames": [[0, 4]] * 3,
            "boxes": [[100, 50, 100 + 2 * CROP, 50 + 2 * CROP] * FRAMES] * 3,
            "landmarks": [five] * 3,
        }
    )  # fmt: skip
    tables.write(index, folder / "index.parquet", tables.CLIPS)
    return [
        *("--explanations", str(folder / "e.csv"), "--relevance", str(folder / "e.npz")),
        *("--index", str(folder / "index.parquet"), "--out", str(folder / "r.parquet")),
        *("--maps", str(folder / "r.npz")),
    ]


def run(folder, *, heat, own=None, given=()):
    arguments = written(folder, heat=heat)
    units = settings(units=own or {})
    relevance_stage.main(["--settings", units, *arguments, "--landmarks", *map(str, given)])
    with np.load(folder / "r.npz") as arrays:
        return tables.read(folder / "r.parquet", tables.RELEVANCE), dict(arrays)


def spot(*landmark, width=1):
    """Return heatmaps that are 1 around some landmarks and 0 elsewhere."""
    heat = np.zeros((3, FRAMES, SIDE, SIDE))
    for place in landmark:
        x, y = np.floor(POINTS[place] * SIDE / CROP).astype(int)
        heat[..., y - width : y + width, x - width : x + width] = 1
    return heat


def test_relevance_at_the_corners_of_the_mouth(tmp_path):
    table, _ = run(tmp_path, heat=spot(48, 54))
    assert len(table) == 3 * len(regions.REGIONS)
    found = table.set_index(["sample", "region"])["positive"]
    # AU12 of happiness and AU15 of sadness have their squares there.
    assert found["s-happiness", "units"] > 0.8
    assert found["s-sadness", "units"] > 0.8
    assert found["s-happiness", "eyes"] == 0
    coarse = table[table["region"].isin(regions.COARSE)].groupby("sample")["positive"].sum()
    assert coarse.tolist() == pytest.approx([1, 1, 1])
    own = table[table["region"] == "units"].set_index("sample")
    assert own.loc["s-happiness", "ratio"] > 5
    assert own.loc["s-happiness", "pointing"] > 0.8
    assert len(own.loc["s-happiness", "frames"]) == FRAMES
    assert set(table["landmarks"]) == {"template"}
    # What its Action Units are is not known: missing, not 0.
    unknown = own.loc["s-unknown"]
    assert unknown[["positive", "rank_accuracy", "pointing", "area", "ratio"]].isna().all()
    assert len(unknown["boxes"]) == 0
    boxes = np.reshape(own.loc["s-happiness", "boxes"], (-1, 4))
    assert np.allclose(boxes, action_units.boxes([6, 12], POINTS[None])[0] / CROP, atol=1e-3)


def test_maps_are_means_of_people_on_the_template(tmp_path):
    _, arrays = run(tmp_path, heat=spot(30))
    assert list(zip(arrays["subject"], arrays["label"], strict=True)) == [
        ("s", label) for label in sorted(LABELS)
    ]
    assert arrays["n_samples"].tolist() == [1, 1, 1]
    assert np.allclose(arrays["landmarks"], alignment.template_on_grid())
    smile = np.fromstring(arrays["boxes"][sorted(LABELS).index("happiness")], sep=" ")
    wanted = action_units.boxes([6, 12], arrays["landmarks"][None])[0]
    assert np.allclose(smile.reshape(-1, 4), wanted, atol=0.01)
    # What the Action Units of a label are is not known: no box.
    assert arrays["boxes"][sorted(LABELS).index("unknown")] == ""
    for picture in arrays["relevance"]:
        place = np.array(np.unravel_index(picture.argmax(), picture.shape)[::-1]) + 0.5
        assert np.abs(place - alignment.template_on_grid()[30]).max() < 2.5


def test_units_that_a_study_names_go_first(tmp_path):
    table, _ = run(tmp_path, heat=spot(48, 54), own={"unknown": (12,), "happiness": (1,)})
    found = table[table["region"] == "units"].set_index("sample")["positive"]
    assert found["s-unknown"] > 0.8
    assert found["s-happiness"] == 0


def test_the_data_sets_own_landmarks_are_taken(tmp_path):
    # In pixels of the frame, of which the crop shows a part at half the size.
    rows = [
        (f"s-{label}", frame, (2 * POINTS + [100, 50]).ravel())
        for label in LABELS
        for frame in (0, 4)
    ]
    frame = pd.DataFrame(rows, columns=list(tables.LANDMARKS.columns))
    tables.write(frame, tmp_path / "l.parquet", tables.LANDMARKS)
    own, _ = run(tmp_path, heat=spot(48, 54), given=[tmp_path / "l.parquet"])
    assert set(own["landmarks"]) == {"own"}
    fitted, _ = run(tmp_path, heat=spot(48, 54))
    assert np.allclose(own["positive"], fitted["positive"], equal_nan=True)


def test_no_relevance_is_missing_everywhere(tmp_path):
    table, arrays = run(tmp_path, heat=spot())
    assert (
        table[["positive", "absolute", "signed", "rank_accuracy", "pointing", "ratio"]]
        .isna()
        .all(axis=None)
    )
    assert table.loc[table["region"] == "mouth", "area"].gt(0).all()
    assert len(arrays["subject"]) == 0


def test_heatmaps_of_other_samples_are_refused(tmp_path):
    arguments = written(tmp_path, heat=spot(30), samples=["a", "b", "c"])
    with pytest.raises(StudyError, match="its samples are not those of"):
        relevance_stage.main(["--settings", settings(units={}), *arguments])


def test_prototypes_are_of_known_units():
    assert {unit for units in action_units.PROTOTYPES.values() for unit in units} <= set(
        action_units.UNITS
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"units": {"joy": [12]}}, "explanation.units.joy: no such label"),
        ({"units": {"happiness": [3]}}, "explanation.units.happiness: found 3, expected some of 1"),
        ({"landmarks": "l.parquet"}, "explanation.landmarks: drawn people bring their own"),
    ],
)
def test_a_wrong_configuration_says_what_was_found(given, message):
    config = yaml.safe_load((studies.ROOT / "config/demo.yaml").read_text())
    config["explanation"] = {**config["explanation"], **given}
    with pytest.raises(ConfigError) as raised:
        checks.check(configuration.load(configuration.resolve(config)), root="x")
    assert message in str(raised.value)
