"""Features of frozen networks: computed once, the same results as computed at every step."""

from __future__ import annotations

import dataclasses
import itertools
import json
import signal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import synthetic
import torch

from facebias import study, tables
from facebias.clips.store import open_clips
from facebias.data import cohort, splits
from facebias.models import prediction
from facebias.models.architectures import inputs, vgg, weights
from facebias.models.architectures import network as networks
from facebias.models.architectures.weights import Origin
from facebias.models.features import stage as features
from facebias.models.features.store import open_features
from facebias.models.training import loop
from facebias.models.training import stage as training
from facebias.study import StudyError

pytestmark = pytest.mark.usefixtures("one_thread")

STILL = study.Augmentation(flip=0.0, rotate=0.5, degrees=0.0, brighten=0.0, brightness=0.2)
ORIGIN = Origin(source="file.pth", format="vggface2", sha256="0" * 64)
# Which network, what of it is frozen, and the rest of its settings.
FROZEN = {
    "volumes": ("resnet3d", {"frozen": "backbone", "head": "mean"}),
    "pictures": ("resnet50", {"frozen": "backbone", "frames": 1}),
    "convolutions": ("vgg16", {"frozen": "convolutions", "dropout": 0.3, "options": {"pool": 1}}),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A made study with three train splits and three seeds."""
    made = synthetic.make(tmp_path_factory.mktemp("made"), subjects=10, test=3)
    roles = tables.read(made.splits, tables.SPLITS)
    every = [
        roles.assign(train_split=name, seed=seed) for name in ("a", "b", "c") for seed in (1, 2, 3)
    ]
    tables.write(pd.concat(every, ignore_index=True), made.splits, tables.SPLITS)
    return made


def architecture(kind, **changes):
    name, given = FROZEN[kind]
    return name, synthetic.architecture(
        **{"epochs": 3, "augmentation": STILL, "learning_rate": 0.05} | given | changes
    )


def pretrained(made, name, settings, folder):
    """Write weights that are random, but the same for every model; in their own convention."""
    torch.manual_seed(5)
    convention, path = inputs.CONVENTIONS["vggface2"], folder / "pretrained.safetensors"
    backbone = networks.build_backbone(name, settings.backbone).train()
    for part in backbone.modules():
        if isinstance(part, torch.nn.BatchNorm2d | torch.nn.BatchNorm3d):
            torch.nn.init.uniform_(part.weight, 0.2, 0.8)
            part.momentum = 1.0  # the next pass gives its statistics
    store = open_clips(made.index)
    clips = inputs.images(torch.from_numpy(store.read(store.samples)), 32, "cpu")
    clips = convention.normalise(clips)
    with torch.no_grad():
        backbone(clips.transpose(1, 2) if backbone.volumes else clips.flatten(0, 1))
    weights.save(backbone.state_dict(), path, convention=convention, origin=ORIGIN)
    return path


def compute(made, name, settings, folder):
    """Make weights and run the stage that computes the features; give both files."""
    file = pretrained(made, name, settings, folder)
    return file, extract(made, name, settings, file, folder / "features" / f"{name}.parquet")


def extract(made, name, settings, file, index):
    text = study.settings(backbone=settings.backbone, device="cpu")
    where = ["--index", str(made.index), "--array", str(index.with_suffix(".npy"))]
    where += ["--out", str(index), "--pretrained", str(file)]
    features.main(["--settings", text, "--architecture", name, *where])
    return index


def identity(name, split="a", seed=1):
    ids = {"architecture": name, "train-split": split, "fold": 0, "seed": seed}
    return [word for key, value in ids.items() for word in (f"--{key}", str(value))]


def train(made, name, settings, out, *more, split="a", seed=1):
    text = study.settings(architecture=settings, labels=synthetic.labels())
    where = ["--out", str(out), "--checkpoints", f"{out}-checkpoints", *map(str, more)]
    training.main(["--settings", text, *identity(name, split, seed), *made.arguments(), *where])


def predict(made, name, settings, model, out, *more, split="a", seed=1):
    text = study.settings(architecture=settings, labels=synthetic.labels())
    where = ["--model", str(model), "--out", str(out), *map(str, more)]
    prediction.main(["--settings", text, *identity(name, split, seed), *made.arguments(), *where])
    return tables.read(out, tables.PREDICTIONS).filter(like="score_").to_numpy()


@pytest.mark.parametrize("kind", FROZEN)
def test_predictions_are_those_without_features(made, tmp_path, kind):
    name, settings = architecture(kind)
    file, index = compute(made, name, settings, tmp_path)
    train(made, name, settings, tmp_path / "plain", "--pretrained", file)
    train(made, name, settings, tmp_path / "kept", "--pretrained", file, "--features", index)
    plain = predict(made, name, settings, tmp_path / "plain", tmp_path / "p.parquet")
    kept = predict(
        made, name, settings, tmp_path / "kept", tmp_path / "k.parquet", "--features", index
    )
    whole = predict(made, name, settings, tmp_path / "kept", tmp_path / "w.parquet")
    assert np.abs(kept - plain).max() <= 1e-4
    assert np.abs(kept - whole).max() <= 1e-4
    assert plain.std(axis=0).min() > 1e-3  # the scores differ between clips
    histories = [
        tables.read(tmp_path / name / "history.csv", tables.HISTORY) for name in ("plain", "kept")
    ]
    plain, kept = (history.select_dtypes("number") for history in histories)
    assert np.allclose(plain, kept, atol=1e-3)


@pytest.mark.parametrize("kind", FROZEN)
def test_model_keeps_the_frozen_part_and_its_convention(made, tmp_path, kind):
    name, settings = architecture(kind)
    file, index = compute(made, name, settings, tmp_path)
    train(made, name, settings, tmp_path / "model", "--pretrained", file, "--features", index)
    before = safetensors.torch.load_file(file)
    after = safetensors.torch.load_file(tmp_path / "model" / "weights.safetensors")
    changed = {key for key in before if not torch.equal(before[key], after[f"backbone.{key}"])}
    trained = {key for key in before if key.startswith("classifier")}
    assert changed == (trained if kind == "convolutions" else set())
    network = networks.build(name, settings, 4, settings.frames or 2)
    weights.load(network, tmp_path / "model" / "weights.safetensors")
    assert network.convention == inputs.CONVENTIONS["vggface2"]
    facts = json.loads((tmp_path / "model" / "provenance.json").read_text())
    assert facts["pretrained"] == vars(ORIGIN)
    assert facts["frozen_features"]


def test_features_are_those_of_the_frozen_part(made, tmp_path):
    name, settings = architecture("volumes")
    file, index = compute(made, name, settings, tmp_path)
    store, clips = open_features(index), open_clips(made.index)
    assert store.samples == clips.samples
    network = networks.build(name, settings, 4, 2).eval()
    weights.load_pretrained(network, file)
    asked = [store.samples[7], store.samples[0], store.samples[7]]
    with torch.inference_mode():
        pixels = torch.from_numpy(clips.read(asked))
        expected = network.features(network.prepare(pixels)).numpy()
    found = store.read(asked)
    assert found.dtype == np.float32
    # Other batches add up in another order, which is far less than a hundredth of what two clips
    # differ by.
    apart = np.abs(expected[0] - expected[1]).max()
    assert np.abs(found - expected).max() < apart / 100
    assert np.array_equal(found[0], found[2])
    assert not np.array_equal(found[0], found[1])


def test_work_of_the_frozen_part_is_done_once(made, tmp_path, monkeypatch):
    """Frames through the frozen part for nine models: three train splits, three seeds."""
    name, settings = architecture("convolutions", epochs=5)
    file, index = compute(made, name, settings, tmp_path)
    seen, grid = [], vgg.Backbone.grid

    def counted(self, frames):
        seen.append(len(frames))
        return grid(self, frames)

    monkeypatch.setattr(vgg.Backbone, "grid", counted)

    def work(folder, start, score=()):
        """Count the frames for training and prediction of all models."""
        for split, seed in itertools.product("abc", (1, 2, 3)):
            out, ids = folder / f"{split}-{seed}", {"split": split, "seed": seed}
            train(made, name, settings, out, *start, *score, **ids)
            predict(made, name, settings, out, f"{out}.parquet", *score, **ids)
        done = sum(seen)
        seen.clear()
        return done

    every = work(tmp_path / "plain", ["--pretrained", file])
    assert work(tmp_path / "kept", ["--pretrained", file], ["--features", index]) == 0
    extract(made, name, settings, file, tmp_path / "again.parquet")
    once = sum(seen)
    assert once == 2 * len(open_clips(made.index).samples)  # two frames of each clip
    assert every >= 30 * once


def test_signal_and_resumption_change_no_bit(made, tmp_path, monkeypatch):
    name, settings = architecture("convolutions")
    file, index = compute(made, name, settings, tmp_path)
    given = ["--pretrained", file, "--features", index]
    train(made, name, settings, tmp_path / "whole", *given)
    real, calls = loop._count, []

    def counted(*arguments):
        calls.append(1)
        if len(calls) == 4:
            signal.raise_signal(signal.SIGTERM)
        return real(*arguments)

    monkeypatch.setattr(loop, "_count", counted)
    with pytest.raises(SystemExit):
        train(made, name, settings, tmp_path / "model", *given)
    train(made, name, settings, tmp_path / "model", *given)
    found, expected = (
        (tmp_path / part / "weights.safetensors").read_bytes() for part in ("model", "whole")
    )
    assert found == expected


def test_other_pretrained_weights_are_another_training(made, tmp_path, monkeypatch):
    """A checkpoint of a training from other weights is not gone on from."""
    name, settings = architecture("pictures")
    names = []
    monkeypatch.setattr(
        training, "Checkpoint", lambda folder, key: names.append(key) or Stop(folder, key)
    )
    file = pretrained(made, name, settings, tmp_path)
    for change in (0.0, 0.0, 1.0):
        state = safetensors.torch.load_file(file)
        state["bn1.bias"] += change
        weights.save(state, file, convention=inputs.CONVENTIONS["vggface2"], origin=ORIGIN)
        with pytest.raises(StopIteration):
            train(made, name, settings, tmp_path / "model", "--pretrained", file)
    assert names[0] == names[1] != names[2]


class Stop:
    """A checkpoint that ends the training before it starts."""

    def __init__(self, folder, key):
        pass

    def load(self):
        raise StopIteration


def test_features_and_random_changes_exclude_each_other(made, tmp_path):
    name, settings = architecture("pictures")
    file, index = compute(made, name, settings, tmp_path)
    changing = dataclasses.replace(
        settings,
        training=dataclasses.replace(
            settings.training, augmentation=dataclasses.replace(STILL, flip=0.5)
        ),
    )
    with pytest.raises(StudyError, match=r"training\.augmentation: found changes"):
        train(made, name, changing, tmp_path / "m", "--pretrained", file, "--features", index)


WEIGHTS = study.Weights(
    source="torchvision", format="torchvision", sha256=None, channel_order="auto"
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"frozen": "none"}, False),
        ({"weights": None}, False),  # every model draws its own
        ({"flip": 0.5}, False),
        ({"degrees": 10.0}, False),
        ({"brighten": 0.1}, False),
    ],
)
def test_features_are_fixed_only_where_every_model_sees_the_same(changes, expected):
    _, settings = architecture("convolutions")
    given = dataclasses.replace(settings, weights=WEIGHTS)
    names = {field.name for field in dataclasses.fields(study.Augmentation)}
    own = {name: value for name, value in changes.items() if name not in names}
    drawn = {name: value for name, value in changes.items() if name in names}
    augmentation = dataclasses.replace(STILL, **drawn)
    given = dataclasses.replace(
        given, training=dataclasses.replace(given.training, augmentation=augmentation), **own
    )
    assert given.has_fixed_features == expected


def test_nothing_frozen_has_no_features(made, tmp_path):
    name, settings = architecture("pictures", frozen="none")
    with pytest.raises(StudyError, match=r"resnet50\.frozen: found none"):
        compute(made, name, settings, tmp_path)


def test_missing_and_torn_features_are_named(made, tmp_path):
    name, settings = architecture("pictures")
    _, index = compute(made, name, settings, tmp_path)
    with pytest.raises(StudyError, match=r"none of sample 'nobody' \(and 0 more\)"):
        open_features(index).read(["nobody"])
    array = np.load(index.with_suffix(".npy"))
    np.save(index.with_suffix(".npy"), array[:-1])
    with pytest.raises(StudyError, match=r"resnet50\.npy: \d+ rows, .* has \d+"):
        open_features(index)
    index.with_suffix(".npy").unlink()
    with pytest.raises(StudyError, match="no readable features"):
        open_features(index)


def test_roles_of_the_made_study_are_read(made):
    assert set(splits.read(made.splits)["train_split"]) == {"a", "b", "c"}


@pytest.mark.parametrize(("n", "batches"), [(1, 1), (4, 2), (5, 3)])
def test_progress_counts_the_batches(monkeypatch, n, batches):
    said = {}

    def track(items, **told):
        said.update(told)
        return items

    monkeypatch.setattr(features.progress, "track", track)
    monkeypatch.setattr(features, "FRAMES_AT_ONCE", 6)
    network = SimpleNamespace(frames=3, prepare=lambda clips: clips, frozen_features=lambda x: x)
    store = SimpleNamespace(read=lambda samples, frames: np.zeros((len(samples), 3, 2, 2, 3)))
    clips = cohort.Reader(store, list(map(str, range(n))), frames=3)
    assert len(list(features.features(network, clips))) == batches == said["total"]
