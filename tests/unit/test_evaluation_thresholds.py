"""Thresholds of units: the best F1 on validation samples, and how predictions carry them."""

import numpy as np
import pandas as pd
import pytest
import synthetic
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

import scored
from facebias import tables
from facebias.clips.store import open_clips
from facebias.data.cohort import Model
from facebias.evaluation import scores, thresholds
from facebias.models import decision, prediction
from facebias.models.training import stage as training
from facebias.study import StudyError, settings

MODEL = {"architecture": "vgg16", "train_split": "regular", "fold": 0, "seed": 1}


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.sampled_from([0.0, 1.0, np.nan])), min_size=1, max_size=30
    )
)
def test_no_threshold_has_a_better_f1(samples):
    score = np.array([first / 20 for first, _ in samples])
    truth = np.array([second for _, second in samples])
    chosen = thresholds.choose(score, truth)
    known = ~np.isnan(truth)
    if not (truth == 1).any() or not (truth == 0).any():
        assert chosen.threshold == 0.5
        assert np.isnan(chosen.f1)
        return
    every = np.unique(np.concatenate([score, np.linspace(0, 1, 41)]))
    # Many thresholds decide the same.
    decisions = {(score[known] >= value).tobytes() for value in every}
    best = max(f1_score(truth[known], np.frombuffer(said, bool)) for said in decisions)
    assert chosen.f1 == pytest.approx(best)
    assert f1_score(truth[known], score[known] >= chosen.threshold) == pytest.approx(best)
    at_half = f1_score(truth[known], score[known] >= 0.5)
    assert (chosen.threshold == 0.5) == (at_half == pytest.approx(best))


def test_a_threshold_lies_between_the_scores_that_it_parts():
    score, truth = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 0.0, 1.0, 1.0])
    assert thresholds.choose(score, truth).threshold == pytest.approx(0.25)
    high = thresholds.choose(score + 0.55, truth)
    assert high.threshold == pytest.approx(0.8)
    assert high.f1 == 1


def test_neighbouring_floats_are_parted():
    low = 0.3
    high = np.nextafter(low, 1)
    chosen = thresholds.choose(np.array([low, high]), np.array([0.0, 1.0]))
    assert (low >= chosen.threshold, high >= chosen.threshold) == (False, True)


def test_units_without_examples_keep_one_half_and_say_why():
    frame = scored.units(np.random.default_rng(0), missing=0.0)
    frame["label_AU1"] = 0.0
    frame["label_AU4"] = np.nan
    table = thresholds.choose_all(scored.scored(frame), MODEL).set_index("unit")
    assert table.loc["AU1", "threshold"] == table.loc["AU4", "threshold"] == 0.5
    assert table.loc["AU1", "note"] == "0.5: no positive validation sample"
    assert table.loc["AU4", "note"] == "0.5: no positive and no negative validation sample"
    assert table.loc[["AU1", "AU4"], "f1"].isna().all()
    assert table.loc["AU4", ["positives", "negatives", "n_subjects"]].tolist() == [0, 0, 0]
    assert table.loc["AU12", "note"] is None
    assert table.loc["AU12", "f1"] > 0


def test_decisions_follow_the_thresholds_of_their_model():
    random = np.random.default_rng(1)
    parts = []
    for seed, limit in ((1, 0.2), (2, 0.7)):
        part = scored.units(random).assign(seed=seed)
        parts.append(part.assign(**{f"threshold_{unit}": limit for unit in ("AU1", "AU4", "AU12")}))
    parts[1][[f"label_{unit}" for unit in ("AU1", "AU4", "AU12")]] = parts[0][
        [f"label_{unit}" for unit in ("AU1", "AU4", "AU12")]
    ]
    data = scored.scored(pd.concat(parts))
    for seed, limit in ((1, 0.2), (2, 0.7)):
        of_seed = data.where(data.seed == seed)
        np.testing.assert_array_equal(of_seed.decision, of_seed.score >= limit)
    without = scored.scored(scored.units(random))
    np.testing.assert_array_equal(without.decision, without.score >= 0.5)


def test_thresholds_of_some_units_or_samples_only_are_refused():
    frame = scored.units(np.random.default_rng(2)).assign(threshold_AU1=0.3)
    with pytest.raises(StudyError, match="missing for threshold_AU4, threshold_AU12"):
        scored.scored(frame)
    frame = frame.assign(threshold_AU4=0.3, threshold_AU12=[np.nan] + [0.1] * (len(frame) - 1))
    with pytest.raises(StudyError, match="thresholds are missing for some samples"):
        scored.scored(frame)


# ----------------------------------------------------------------------------------- of a model


@pytest.fixture
def decided(tmp_path):
    """A trained model of units, its predictions, and what the stage makes of them."""
    made = synthetic.make(tmp_path / "data", subjects=8, repetitions=2, kind="units")
    asked = settings(
        architecture=synthetic.architecture(epochs=2, head="mean"),
        labels=synthetic.labels("units"),
    )
    common = ["--settings", asked, "--architecture", "cnn3d", "--train-split", "regular"]
    common += ["--fold", "0", "--seed", "1", *made.arguments()]
    folder = tmp_path / "model"
    checkpoints = ["--checkpoints", str(tmp_path / "checkpoints")]
    training.main([*common, "--out", str(folder), *checkpoints])
    prediction.main([*common, "--model", str(folder), "--out", str(tmp_path / "said.parquet")])

    def run():
        parts = {
            "--model": folder,
            "--predictions": tmp_path / "said.parquet",
            "--thresholds": tmp_path / "thresholds.csv",
            "--out": tmp_path / "decided.parquet",
        }
        decision.main([*common, *(str(part) for pair in parts.items() for part in pair)])
        return (
            tables.read(tmp_path / "thresholds.csv", tables.THRESHOLDS),
            tables.read(tmp_path / "decided.parquet", tables.PREDICTIONS),
        )

    return made, folder, run


def test_thresholds_are_those_of_the_validation_samples(decided):
    made, folder, run = decided
    chosen, said = run()
    roles = tables.read(made.splits, tables.SPLITS)
    held = roles.loc[roles["role"] == "validation", "subject"]
    manifest = tables.read(made.manifest, tables.MANIFEST)
    rows = manifest[manifest["subject"].isin(held)].reset_index(drop=True)
    labels = synthetic.labels("units")
    validation = prediction.predict(
        rows,
        open_clips(made.index),
        model=Model("cnn3d", "regular", 0, 1),
        architecture=synthetic.architecture(epochs=2, head="mean"),
        labels=labels,
        path=folder / "weights.safetensors",
    )
    for unit in labels.names:
        truth = rows[f"label_{unit}"].to_numpy(float)
        expected = thresholds.choose(validation[f"score_{unit}"].to_numpy(), truth)
        found = chosen.set_index("unit").loc[unit]
        assert found["threshold"] == pytest.approx(expected.threshold)
        assert found["f1"] == pytest.approx(expected.f1)
        assert found["n_subjects"] == len(held)
        assert (said[f"threshold_{unit}"] == said[f"threshold_{unit}"].iloc[0]).all()
        assert said[f"threshold_{unit}"].iloc[0] == pytest.approx(expected.threshold)
    data = scores.join(said, manifest, labels, architecture="cnn3d", train_split="regular")
    limits = chosen.set_index("unit").loc[list(labels.names), "threshold"].to_numpy()
    np.testing.assert_array_equal(data.decision, data.score >= limits)


def test_test_subjects_take_no_part(decided):
    """Their labels turned round, the thresholds are the same to the last bit."""
    made, _, run = decided
    before, _ = run()
    roles = tables.read(made.splits, tables.SPLITS)
    tested = roles.loc[roles["role"] == "test", "subject"]
    manifest = tables.read(made.manifest, tables.MANIFEST)
    labelled = [name for name in manifest if name.startswith("label_")]
    inside = manifest["subject"].isin(tested)
    manifest.loc[inside, labelled] = 1 - manifest.loc[inside, labelled]
    tables.write(manifest, made.manifest, tables.MANIFEST)
    after, _ = run()
    pd.testing.assert_frame_equal(before, after)


def test_without_validation_samples_one_half_stands(decided):
    made, _, run = decided
    roles = tables.read(made.splits, tables.SPLITS)
    roles.loc[roles["role"] == "validation", "role"] = "unused"
    tables.write(roles, made.splits, tables.SPLITS)
    chosen, said = run()
    assert (chosen["threshold"] == 0.5).all()
    assert chosen["note"].notna().all()
    assert (said.filter(like="threshold_") == 0.5).all(axis=None)
