"""Scores of the test samples."""

from __future__ import annotations

import numpy as np
import pytest
import synthetic
import torch

from facebias import study, tables
from facebias.clips.store import open_clips
from facebias.models import prediction
from facebias.models.architectures import inference, weights
from facebias.models.architectures import network as networks
from facebias.study import StudyError

pytestmark = pytest.mark.usefixtures("one_thread")

IDS = ["--architecture", "resnet50", "--train-split", "regular", "--fold", "0", "--seed", "1"]
SIZE = 4
SMALL = synthetic.architecture(batch_size=SIZE)


def model(folder, *, outputs: int = 4) -> None:
    torch.manual_seed(3)
    network = networks.build("resnet50", SMALL, outputs, 2)
    folder.mkdir()
    weights.save(network.state_dict(), folder / "weights.safetensors")


def predict(made, folder, out, *, architecture=SMALL, labels=None):
    settings = study.settings(architecture=architecture, labels=labels or synthetic.labels())
    where = ["--model", str(folder), *made.arguments(), "--out", str(out)]
    prediction.main(["--settings", settings, *IDS, *where])
    return tables.read(out, tables.PREDICTIONS)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return synthetic.make(tmp_path_factory.mktemp("made"), subjects=6, test=3)


def test_every_test_sample_is_scored_once(made, tmp_path):
    model(tmp_path / "model")
    found = predict(made, tmp_path / "model", tmp_path / "p.parquet")
    manifest = tables.read(made.manifest, tables.MANIFEST)
    expected = manifest[manifest["subject"].isin(["p00", "p01", "p02"])]["sample"].tolist()[1:]
    assert found["sample"].tolist() == expected  # the first was left out: no face
    assert list(found.columns[-4:]) == [f"score_{name}" for name in synthetic.NAMES]
    scores = found.iloc[:, -4:].to_numpy()
    assert np.allclose(scores.sum(1), 1)
    assert scores.std(axis=0).min() > 0


def test_scores_are_those_of_the_network(made, tmp_path):
    model(tmp_path / "model")
    found = predict(made, tmp_path / "model", tmp_path / "p.parquet")
    network = networks.build("resnet50", SMALL, 4, 2)
    weights.load(network, tmp_path / "model" / "weights.safetensors")
    clips = open_clips(made.index).read(found["sample"].tolist())
    # In the same batches: other ones may add up in another order.
    batches = np.split(clips, range(SIZE, len(clips), SIZE))
    expected = inference.probabilities(inference.scores(network, batches).double(), "classes")
    assert np.array_equal(found.iloc[:, -4:].to_numpy(), expected.numpy())


def test_two_runs_give_the_same_bytes(made, tmp_path):
    model(tmp_path / "model")
    for name in ("one", "two"):
        predict(made, tmp_path / "model", tmp_path / f"{name}.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_units_get_a_probability_each(tmp_path):
    made = synthetic.make(tmp_path / "data", subjects=6, kind="units")
    model(tmp_path / "model", outputs=3)
    found = predict(
        made, tmp_path / "model", tmp_path / "p.parquet", labels=synthetic.labels("units")
    )
    scores = found[["score_AU1", "score_AU2", "score_AU4"]].to_numpy()
    assert ((scores > 0) & (scores < 1)).all()
    assert not np.allclose(scores.sum(1), 1)


def test_weights_of_another_network_are_refused(made, tmp_path):
    model(tmp_path / "model", outputs=5)
    with pytest.raises(StudyError, match=r"head.linear.*has shape \(5,.*network has \(4,"):
        predict(made, tmp_path / "model", tmp_path / "p.parquet")
    with pytest.raises(StudyError, match="no readable weights"):
        predict(made, tmp_path / "nowhere", tmp_path / "p.parquet")
    assert not (tmp_path / "p.parquet").exists()


def test_scores_that_are_not_finite_are_refused(made, tmp_path):
    model(tmp_path / "model")
    network = networks.build("resnet50", SMALL, 4, 2)
    torch.nn.init.constant_(network.head.linear.bias, float("nan"))
    weights.save(network.state_dict(), tmp_path / "model" / "weights.safetensors")
    with pytest.raises(StudyError, match="score of sample p00-surprise-0 is not finite"):
        predict(made, tmp_path / "model", tmp_path / "p.parquet")
