"""Training end to end on made clips: it learns, repeats itself, says what is wrong."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import synthetic
import torch
from fitting import examples, fit, same, small

from facebias import study, tables
from facebias.clips.store import open_clips
from facebias.data import cohort, splits
from facebias.data.cohort import Model
from facebias.models.architectures import network as networks
from facebias.models.training import loop, losses, stage
from facebias.models.training.schedules import SCHEDULES
from facebias.study import Augmentation, StudyError

pytestmark = pytest.mark.usefixtures("one_thread")

IDS = ["--architecture", "cnn3d", "--train-split", "regular", "--fold", "0", "--seed", "1"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return synthetic.make(tmp_path_factory.mktemp("made"), subjects=10, repetitions=2)


def train(made, out, *, labels=None, architecture=None):
    settings = study.settings(
        architecture=architecture or small(), labels=labels or synthetic.labels()
    )
    where = ["--out", str(out), "--checkpoints", f"{out}-checkpoints"]
    stage.main(["--settings", settings, *IDS, *made.arguments(), *where])
    return safetensors.torch.load_file(out / "weights.safetensors")


def test_training_learns_the_pattern(made, tmp_path):
    architecture = small(epochs=10)
    train(made, tmp_path / "model", architecture=architecture)
    history = tables.read(tmp_path / "model" / "history.csv", tables.HISTORY)
    assert history["epoch"].tolist() == list(range(1, 11))
    assert history["best"].sum() == 1
    best = history[history["best"]].iloc[0]
    assert best["validation_accuracy"] == history["validation_accuracy"].max() > 0.8
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0] / 2


def test_model_folder_says_what_made_it(made, tmp_path):
    train(made, tmp_path / "model", architecture=small(epochs=1))
    facts = json.loads((tmp_path / "model" / "provenance.json").read_text())
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "history.csv",
        "provenance.json",
        "weights.safetensors",
    ]
    assert facts["samples"] == {"train": 48, "validation": 16}
    assert not set(facts["subjects"]["train"]) & set(facts["subjects"]["validation"])
    assert facts["device"] == "cpu"
    assert facts["precision"] == "fp32"


@pytest.mark.parametrize("name", ["vgg16", "resnet50"])
def test_same_seed_gives_the_same_bits(made, name):
    architecture = synthetic.architecture(epochs=2, dropout=0.3)
    first, history = fit(made, architecture, name=name)
    second, again = fit(made, architecture, name=name)
    other, _ = fit(made, architecture, name=name, seed=2)
    assert same(first, second)
    assert history.equals(again)
    assert not same(first, other)


def test_without_validation_subjects_the_last_epoch_is_taken(made):
    best, history = fit(made, small(epochs=3), validated=False)
    assert history["best"].tolist() == [False, False, True]
    assert history["validation_loss"].isna().all()
    assert best


def test_units_are_learned_where_they_are_annotated(tmp_path):
    made = synthetic.make(tmp_path / "data", subjects=10, repetitions=2, kind="units")
    architecture = small(epochs=10)
    train(made, tmp_path / "model", labels=synthetic.labels("units"), architecture=architecture)
    history = tables.read(tmp_path / "model" / "history.csv", tables.HISTORY)
    assert history["validation_accuracy"].max() > 0.8


def test_unit_that_was_not_annotated_stays_missing_in_the_targets():
    rows = pd.DataFrame({"label_AU1": [1.0, np.nan], "label_AU2": [0, 1], "label_AU4": [None, 0]})
    targets = cohort.targets(rows, synthetic.labels("units"))
    np.testing.assert_array_equal(targets, [[1, 0, np.nan], [np.nan, 1, 0]])
    assert targets.dtype == np.float32


def test_samples_of_which_nothing_is_annotated_are_not_counted_as_trained_on(tmp_path):
    made = synthetic.make(tmp_path / "data", subjects=10, kind="units")
    manifest = tables.read(made.manifest, tables.MANIFEST)
    roles = splits.read(made.splits)
    unknown = manifest["subject"] == roles.loc[roles["role"] == "train", "subject"].iloc[0]
    units = [f"label_{name}" for name in synthetic.labels("units").names]
    manifest[units] = manifest[units].mask(unknown)
    tables.write(manifest, made.manifest, tables.MANIFEST)
    train(made, tmp_path / "m", labels=synthetic.labels("units"), architecture=small(epochs=1))
    facts = json.loads((tmp_path / "m" / "provenance.json").read_text())
    assert facts["samples"] == {"train": 5 * 4, "validation": 8}
    assert len(facts["subjects"]["train"]) == 5


def test_loss_that_explodes_stops_and_says_where(made):
    architecture = small(learning_rate=1e30, schedule="constant")
    with pytest.raises(
        StudyError, match=r"epoch \d, step \d+ of 6, at learning rate 1e\+30; lower"
    ):
        fit(made, architecture)


def test_gradient_clip_holds_a_wild_step(made):
    calm, _ = fit(made, small(epochs=1, learning_rate=1.0, gradient_clip=1e-6))
    torch.manual_seed(1)
    start = networks.build("cnn3d", small(), 4, 2).state_dict()
    moved = [(calm[key] - start[key]).norm().item() for key in start if key.endswith("weight")]
    assert max(moved) < 1e-4


def test_frames_are_chosen_by_the_architecture(made):
    _, history = fit(made, small(epochs=1), name="cnn3d")
    assert len(history) == 1
    with pytest.raises(StudyError, match="3 frames asked for, a clip has 2"):
        examples(made, small(frames=3), "train")


def test_memory_map_gives_what_memory_gives(made):
    store = open_clips(made.index)
    held = cohort.Reader(store, store.samples, frames=1)
    mapped = cohort.Reader(store, store.samples, frames=1, limit=0)
    order = np.random.default_rng(0).permutation(len(store.samples))[:7]
    assert np.array_equal(held[order], mapped[order])
    assert [len(batch) for batch in mapped.batches(30)] == [30, 30, 19]


@pytest.mark.parametrize("size", [1, 2, 5, 12, 100])
@pytest.mark.parametrize("n", [2, 3, 11, 13, 25])
def test_batches_are_even_and_complete(n, size):
    batches = loop.even_batches(np.arange(n), size)
    lengths = [len(batch) for batch in batches]
    assert np.array_equal(np.concatenate(batches), np.arange(n))
    assert max(lengths) - min(lengths) <= 1
    assert max(lengths) <= max(size, 3 if size == 2 else size)
    assert size == 1 or min(lengths) >= 2


SELECTED = ("accuracy", "macro_recall", "macro_f1")


@pytest.mark.parametrize(("select", "best"), [*((name, 3) for name in SELECTED), ("loss", 2)])
def test_ties_go_to_the_lower_loss_then_to_the_earlier(select, best):
    values = [(0.5, 0.9), (0.7, 0.8), (0.6, 0.3), (0.7, 0.6), (0.7, 0.6), (0.6, 0.3)]
    history = []
    for value, loss in values:
        row = {f"validation_{name}": value if name == select else 0.1 for name in SELECTED}
        row |= {"validation_loss": loss, "best": False}
        if loop._better(row, history, select):
            for earlier in history:
                earlier["best"] = False
            row["best"] = True
        history.append(row)
    assert [row["best"] for row in history].index(True) == best


@pytest.mark.parametrize("select", ["macro_recall", "macro_f1"])
def test_where_validation_samples_have_no_label_the_loss_picks(select):
    history = []
    for loss in (0.9, 0.4, 0.6):
        row = {f"validation_{select}": float("nan"), "validation_loss": loss, "best": False}
        if loop._better(row, history, select):
            for earlier in history:
                earlier["best"] = False
            row["best"] = True
        history.append(row)
    assert [row["best"] for row in history] == [False, True, False]


@pytest.mark.parametrize("select", ["macro_recall", "macro_f1"])
def test_always_saying_the_commonest_label_is_no_longer_the_best_epoch(select):
    """Nine in ten are of one label: to say it always is right oftener than to tell them apart."""
    targets = torch.tensor([0] * 90 + [1] * 5 + [2] * 5)
    apart = torch.nn.functional.one_hot(targets, 4).float()
    apart[:15] = torch.tensor([0.0, 1, 0, 0])
    always = torch.tensor([[1.0, 0, 0, 0]]).expand(100, 4)
    history = []
    for scores in (always, apart):
        right, decisions = losses.correct(scores, targets, kind="classes")
        row = {"validation_accuracy": float(right / decisions), "validation_loss": 1.0}
        found = losses.macro(scores, targets, kind="classes")
        row |= {f"validation_{name}": value for name, value in found.items()}
        history.append(row | {"best": not history})
    assert history[0]["validation_macro_recall"] == pytest.approx(1 / 3)
    assert loop._better(history[1], history[:1], select)
    assert not loop._better(history[1], history[:1], "accuracy")


def test_history_averages_over_clips_and_decisions_not_over_batches():
    # Loss, clips, right decisions, decisions: of two units, some not annotated.
    batches = torch.tensor([[1.0, 3, 4, 5], [5.0, 1, 0, 2]], dtype=torch.float64)
    found = loop._means(batches, "train")
    assert found == {"train_loss": 2.0, "train_accuracy": pytest.approx(4 / 7)}


def test_learning_rate_follows_its_schedule_over_the_steps_of_all_epochs(made, monkeypatch):
    taken, step = [], torch.optim.SGD.step

    def noting(optimiser, *given):
        taken.append(optimiser.param_groups[0]["lr"])
        return step(optimiser, *given)

    monkeypatch.setattr(torch.optim.SGD, "step", noting)
    _, history = fit(made, small(epochs=3, schedule="cosine", learning_rate=0.1))
    total = len(taken)
    assert total > 3
    assert taken == pytest.approx([0.1 * SCHEDULES["cosine"](one, total) for one in range(total)])
    assert history["learning_rate"].tolist() == taken[total // 3 - 1 :: total // 3]


@pytest.mark.parametrize(
    "change",
    [
        {"momentum": 0.5},
        {"nesterov": True},
        {"weight_decay": 0.1},
        {"label_smoothing": 0.2},
        {"augmentation": Augmentation(flip=1, rotate=0, degrees=0, brighten=0, brightness=0)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_setting_of_training_changes_the_weights(made, change):
    still = Augmentation(flip=0, rotate=0, degrees=0, brighten=0, brightness=0)
    settings = {"epochs": 1, "augmentation": still}
    plain, other = (fit(made, small(**settings | each))[0] for each in ({}, change))
    assert not same(plain, other)


@pytest.mark.parametrize("select", ["macro_recall", "macro_f1", "accuracy", "loss"])
def test_epoch_whose_validation_overflows_is_not_the_best(made, monkeypatch, select):
    losses = iter([float("nan"), 0.4, float("nan")])
    validate = loop._validate

    def overflowing(network, examples, *given):
        found = validate(network, examples, *given)
        return found | {"validation_loss": next(losses)} if len(examples.clips) else found

    monkeypatch.setattr(loop, "_validate", overflowing)
    settings = {"schedule": "constant", "select": select}
    best, history = fit(made, small(epochs=3, **settings))
    assert history["best"].tolist() == [False, True, False]
    assert same(best, fit(made, small(epochs=2, **settings), validated=False)[0])


def test_unknown_split_and_label_are_named(made):
    store, manifest = open_clips(made.index), tables.read(made.manifest, tables.MANIFEST)
    roles = splits.read(made.splits)
    with pytest.raises(StudyError, match=r"nothing for train split 'old'.*there are regular"):
        cohort.members(manifest, roles, store, model=Model("a", "old", 0, 1), role="test")
    changed = manifest.assign(label=["joy", *manifest["label"][1:]])
    with pytest.raises(StudyError, match="sample p00-happiness-0 has label 'joy'"):
        cohort.targets(changed, synthetic.labels())
    with pytest.raises(StudyError, match="label_AU1, label_AU2, label_AU4 is missing"):
        cohort.targets(manifest, synthetic.labels("units"))


def test_left_out_samples_are_skipped(made):
    store, manifest = open_clips(made.index), tables.read(made.manifest, tables.MANIFEST)
    model = Model("cnn3d", "regular", 0, 1)
    rows = cohort.members(manifest, splits.read(made.splits), store, model=model, role="test")
    assert len(rows) == 2 * 8 - 1
    assert "p00-happiness-0" not in set(rows["sample"])


def test_device_is_chosen_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    nothing = synthetic.Made(*(tmp_path / name for name in ("manifest", "splits", "index")))
    with pytest.raises(StudyError, match=r"training.device: found cuda"):
        train(nothing, tmp_path / "model", architecture=small(device="cuda"))
    assert not (tmp_path / "model").exists()
