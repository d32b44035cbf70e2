"""Explaining a model's test samples, and checking its heatmaps, as stages."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import synthetic
import torch
from explaining import like_trained
from scipy import stats

from facebias import study, tables
from facebias.explanation import methods, randomisation, stage
from facebias.models.architectures import network as networks
from facebias.models.architectures import weights
from facebias.study import StudyError

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = {"composite": None, "target": "label", "batch_size": 3, "per_subject": None}


def arguments(
    tmp_path, *, kind="classes", test=4, name="vgg16", method="lrp", trained=False, **changes
):
    made = synthetic.make(tmp_path / "data", subjects=6, test=test, kind=kind)
    architecture, labels = synthetic.architecture(), synthetic.labels(kind)
    torch.manual_seed(0)
    network = networks.build(name, architecture, len(labels.names), 2)
    if trained:
        like_trained(network)
    (tmp_path / "model").mkdir()
    weights.save(network.state_dict(), tmp_path / "model" / "weights.safetensors")
    settings = study.settings(
        architecture=architecture, labels=labels, explaining=study.Explaining(**SETTINGS | changes)
    )
    return [
        *("--settings", settings, "--method", method, "--architecture", name),
        *("--train-split", "regular", "--fold", "0", "--seed", "1", *made.arguments()),
        *("--model", str(tmp_path / "model"), "--out", str(tmp_path / "x.csv")),
    ]


def run(tmp_path, **changes):
    given = arguments(tmp_path, **changes)
    stage.main([*given, "--relevance", str(tmp_path / "x.npz")])
    return tables.read(tmp_path / "x.csv", tables.EXPLANATIONS), np.load(tmp_path / "x.npz")


@pytest.mark.parametrize("method", ["lrp", "occlusion"])
def test_every_test_sample_is_explained_once(tmp_path, monkeypatch, method):
    monkeypatch.setattr(methods, "SQUARES", 3)  # each takes a pass
    table, arrays = run(tmp_path, method=method)
    assert set(table["subject"]) == {"p00", "p01", "p02", "p03"}
    assert len(table) == 4 * 4 - 1  # one was left out
    assert table["row"].tolist() == list(range(15))
    assert set(table["method"]) == {method}
    assert arrays["sample"].tolist() == table["sample"].tolist()
    assert arrays["relevance"].shape == (15, 2, 32, 32)
    assert arrays["relevance"].dtype == np.float16
    # Every row holds its own sample's pixels, of the frames that figures show.
    assert arrays["frames"].tolist() == [0, 1]
    assert arrays["faces"].shape == (15, 2, 32, 32, 3)
    assert arrays["faces"].dtype == np.uint8
    assert len(np.unique(arrays["faces"].reshape(15, -1), axis=0)) == 15
    assert np.allclose(np.abs(arrays["relevance"]).max(axis=(1, 2, 3)), 1)
    sums = arrays["relevance"].astype(float).sum(axis=(1, 2, 3)) * arrays["scale"]
    assert np.allclose(sums, table["relevance"], rtol=0.01, atol=1e-4)
    assert (table["explained"] == table["label"]).all()
    assert table["score"].between(0, 1).all()
    share = table["relevance"] / table["output"]
    if method == "lrp":
        assert np.allclose(table["conserved"], share, rtol=1e-4)
    else:
        assert table["conserved"].isna().all()


@pytest.mark.parametrize("n", range(1, 30))
def test_figures_show_some_frames_with_the_middle_one(n):
    found = stage.shown_frames(n).tolist()
    assert len(found) == min(n, 5)
    assert found == sorted(set(found))
    assert found[len(found) // 2] == n // 2
    assert found[0] == 0 or n == 1
    assert found[-1] == n - 1


def test_the_predicted_label_is_explained(tmp_path):
    table, _ = run(tmp_path, target="predicted")
    assert (table["explained"] == table["predicted"]).all()
    assert (table["score"] >= 0.25).all()


def test_a_named_unit_is_explained(tmp_path):
    table, _ = run(tmp_path, kind="units", target="AU2")
    assert set(table["explained"]) == {"AU2"}
    assert "AU2" in table["label"].tolist()


def test_units_count_as_predicted_from_their_own_thresholds(tmp_path):
    given = [*arguments(tmp_path, kind="units", target="AU2"), "--relevance", tmp_path / "x.npz"]
    names = synthetic.labels("units").names
    model = {"architecture": "vgg16", "train_split": "regular", "fold": 0, "seed": 1}
    chosen = pd.DataFrame(
        {"unit": names, "threshold": np.where(np.array(names) == "AU2", 0.0, 1.1)}
    )
    chosen = chosen.assign(**model, f1=0.5, positives=1, negatives=1, n_subjects=2, note=None)
    tables.write(chosen, tmp_path / "thresholds.csv", tables.THRESHOLDS)
    said = []
    for option in ([], ["--thresholds", tmp_path / "thresholds.csv"]):
        stage.main([*map(str, given), *map(str, option)])
        said.append(tables.read(tmp_path / "x.csv", tables.EXPLANATIONS)["predicted"])
    assert set(said[1]) == {"AU2"}
    assert set(said[0]) != {"AU2"}


def test_a_composite_may_be_chosen(tmp_path):
    found = []
    for place, composite in (("own", None), ("other", "epsilon")):
        (tmp_path / place).mkdir()
        found.append(run(tmp_path / place, composite=composite)[1]["relevance"])
    assert not np.allclose(*found, atol=0.1)


def test_some_samples_of_each_subject(tmp_path):
    table, _ = run(tmp_path, per_subject=2)
    assert set(table.groupby("subject").size()) == {2}
    labels = table.groupby("subject")["label"].agg(list)
    assert labels["p01"] == ["happiness", "anger"]  # the first and the last of four
    rows = pd.DataFrame({"subject": list("aabbbbb"), "sample": range(7)})
    assert stage.spread(rows, 3)["sample"].tolist() == [0, 1, 2, 4, 6]
    assert stage.spread(rows, None) is rows


def test_what_cannot_be_explained_is_said(tmp_path):
    with pytest.raises(
        StudyError, match=r"target: found 'label'; with labels.kind units expected pre"
    ):
        run(tmp_path, kind="units")
    assert not (tmp_path / "x.npz").exists()


def test_no_test_sample_is_said(tmp_path):
    with pytest.raises(StudyError, match="no clip of a test subject of 'regular', fold 0"):
        run(tmp_path, test=0)


def test_relevance_that_is_not_finite_is_said(tmp_path, monkeypatch):
    class Broken(stage.Trained):
        def method(self, name):
            sound = super().method(name)

            def broken(*given):
                found = sound(*given)
                found.pixels[-1, 0, 0, 0] = torch.nan
                return found

            return broken

    monkeypatch.setattr(stage, "Trained", Broken)
    with pytest.raises(StudyError, match=r"lrp gives sample p00-anger-0 a relevance that is not"):
        run(tmp_path)


def test_two_runs_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        run(tmp_path / name, method="gradient_shap")
    for file in ("x.npz", "x.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


# --------------------------------------------------------------------------------- randomisation


def network(seed, name="resnet50"):
    torch.manual_seed(seed)
    return networks.build(name, synthetic.architecture(), 4, 2).eval()


def test_layers_are_drawn_anew_from_the_top():
    trained, untrained = network(1), network(2)
    before = {key: value.clone() for key, value in trained.state_dict().items()}
    drawn = untrained.state_dict()
    seen = []
    for layers, share, layer, mixed in randomisation.cascade(trained, untrained, steps=5):
        new = {
            key
            for key, value in mixed.state_dict().items()
            if torch.equal(value, drawn[key]) and not torch.equal(value, before[key])
        }
        seen.append((layers, share, layer, new))
    first, last = seen[0], seen[-1]
    assert (first[0], first[2]) == (1, "head.linear")
    assert first[3] == {"head.linear.weight", "head.linear.bias"}
    assert last[1] == 1
    assert last[2] == "backbone.conv1"
    mixed = mixed.state_dict()
    assert all(torch.equal(mixed[key], drawn[key]) for key in before)
    assert all(small[3] < large[3] for small, large in itertools.pairwise(seen))
    assert all(torch.equal(before[key], value) for key, value in trained.state_dict().items())


def test_measures_of_likeness():
    random = np.random.default_rng(0)
    one, other = random.random((2, 2, 16, 16))
    assert randomisation.rank_correlation(one, one**3) == pytest.approx(1)
    assert randomisation.rank_correlation(one, other) == pytest.approx(
        stats.spearmanr(one.ravel(), other.ravel())[0]
    )
    assert np.isnan(randomisation.rank_correlation(one, np.ones_like(one)))
    assert randomisation.structural_similarity(one, one * 7) == pytest.approx(1)
    assert randomisation.structural_similarity(one, other) < 0.3
    assert np.isnan(randomisation.structural_similarity(one, np.zeros_like(one)))


def test_structural_similarity_of_one_frame_by_hand():
    first, second = np.random.default_rng(1).random((2, 1, 12, 12))
    # A Gaussian window of 1.5 pixels, mirrored at the edges; constants of a scale up to 1.
    steps = np.arange(-6, 7)
    window = np.exp(-(steps**2) / (2 * 1.5**2))
    window /= window.sum()

    def mean(map_):
        for _ in range(2):
            padded = np.pad(map_, ((0, 0), (6, 6)), mode="symmetric")
            map_ = np.stack([np.convolve(line, window, mode="valid") for line in padded]).T
        return map_

    x, y = first[0] / first.max(), second[0] / second.max()
    of_x, of_y = mean(x), mean(y)
    spreads = mean(x * x) - of_x**2, mean(y * y) - of_y**2
    alike = (2 * of_x * of_y + 0.0001) / (of_x**2 + of_y**2 + 0.0001)
    alike *= (2 * (mean(x * y) - of_x * of_y) + 0.0009) / (sum(spreads) + 0.0009)
    assert randomisation.structural_similarity(first, second) == pytest.approx(alike.mean())


@pytest.mark.parametrize("name", ["vgg16", "senet50", "cnn3d", "resnet3d"])
def test_heatmaps_change_when_the_model_does(tmp_path, name):
    given = arguments(tmp_path, name=name, trained=True)
    randomisation.main([*given, "--samples", "3"])
    table = tables.read(tmp_path / "x.csv", tables.RANDOMISATION)
    assert table.groupby("layers")["sample"].nunique().tolist() == [3] * randomisation.STEPS
    assert table["share"].max() == 1
    means = table.groupby("layers")[["rank_correlation", "structural_similarity"]].mean()
    assert (means.iloc[-1] < 0.9).all(), means
    assert (table["rank_correlation"].dropna() <= 1).all()
