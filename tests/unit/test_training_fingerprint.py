"""The same training goes on from its checkpoint; one that differs in anything does not."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest
import synthetic
import torch
from fitting import examples, small

from facebias import study, tables
from facebias.clips.store import open_clips
from facebias.data import cohort, splits
from facebias.data.cohort import Model
from facebias.models.training import fingerprint as fingerprints
from facebias.models.training.fingerprint import fingerprint
from facebias.models.training.precision import Precision
from facebias.stages import closure
from facebias.stages.models import Network
from facebias.study import build

MODEL = Model("cnn3d", "regular", 0, 1)
CPU = Precision("fp32", torch.device("cpu"))


def settings(**changes):
    return study.settings(architecture=small(**changes), labels=synthetic.labels())


def name_of(made, *, model=MODEL, text=None, precision=CPU):
    """Return the fingerprint of a training on a made study."""
    manifest, roles = tables.read(made.manifest, tables.MANIFEST), splits.read(made.splits)
    store = open_clips(made.index)
    rows = {
        role: cohort.members(manifest, roles, store, model=MODEL, role=role)
        for role in ("train", "validation")
    }
    return fingerprint(
        settings=build(Network, json.loads(text or settings())),
        model=model,
        precision=precision,
        rows=rows,
        examples={role: examples(made, small(), role) for role in rows},
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return synthetic.make(tmp_path_factory.mktemp("made"), subjects=8, validation=2)


@pytest.fixture
def copied(made, tmp_path):
    """A copy of the study, to change."""
    folder = shutil.copytree(made.manifest.parent, tmp_path / "made")
    return synthetic.Made(
        folder / "manifest.csv", folder / "splits.csv", folder / "clips" / "index.parquet"
    )


def edit(path, table, change):
    tables.write(change(tables.read(path, table)), path, table)


def another_pixel(made):
    faces = np.load(made.index.parent / "shard-001.npy", mmap_mode="r+")
    faces[-1, -1, -1, -1, -1] += 1
    faces.flush()


def another_label(made):
    def change(frame):
        names = frame["label"].tolist()
        return frame.assign(label=[*names[:-2], names[-1], names[-2]])

    edit(made.manifest, tables.MANIFEST, change)


def another_subject(made):
    def change(frame):
        return frame.assign(role=frame["role"].where(frame["subject"] != "p07", "unused"))

    edit(made.splits, tables.SPLITS, change)


def another_order(made):
    edit(made.manifest, tables.MANIFEST, lambda frame: frame.iloc[::-1])


def another_clip(made):
    def change(frame):
        rows = frame["row"].to_numpy(copy=True)
        rows[-1], rows[-3] = rows[-3], rows[-1]
        return frame.assign(row=rows)

    edit(made.index, tables.CLIPS, change)


def one_clip_less(made):
    def change(frame):
        rows = frame["row"].to_numpy(copy=True)
        rows[-1] = -1
        return frame.assign(row=rows)

    edit(made.index, tables.CLIPS, change)


@pytest.mark.parametrize(
    "change",
    [another_pixel, another_label, another_subject, another_order, another_clip, one_clip_less],
)
def test_other_data_are_another_training(made, copied, change):
    assert name_of(copied) == name_of(made)
    change(copied)
    assert name_of(copied) != name_of(made)


def test_copied_and_touched_files_are_the_same_training(made, copied):
    for path in copied.manifest.parent.rglob("*"):
        os.utime(path, (1, 1))
    assert name_of(copied) == name_of(made)


def test_other_settings_are_another_training(made):
    changes = ({}, {"learning_rate": 0.5}, {"epochs": 9}, {"select": "loss"})
    assert len({name_of(made, text=settings(**change)) for change in changes}) == 4


def test_another_model_is_another_training(made):
    changes = ({}, {"architecture": "vgg16"}, {"train_split": "female"}, {"fold": 1}, {"seed": 2})
    models = [dataclasses.replace(MODEL, **change) for change in changes]
    assert len({name_of(made, model=model) for model in models}) == 5


def test_another_number_format_or_device_is_another_training(made):
    kinds = (("fp32", "cpu"), ("fp32", "cuda"), ("fp16", "cuda"), ("bf16", "cuda"))
    formats = [Precision(name, torch.device(device)) for name, device in kinds]
    assert len({name_of(made, precision=precision) for precision in formats}) == 4


def test_another_torch_is_another_training(made, monkeypatch):
    before = name_of(made)
    monkeypatch.setattr(torch, "__version__", "9.9")
    assert name_of(made) != before


def test_code_is_what_training_runs():
    files = {path.removeprefix("facebias/") for path in fingerprints.code("cnn3d")}
    assert {
        "models/training/loop.py",
        "models/training/state.py",
        "models/architectures/cnn3d.py",
    } <= files
    assert (
        not {"models/architectures/vgg.py", "models/prediction.py", "presentation/figures/stage.py"}
        & files
    )


@pytest.mark.parametrize(("more", "other"), [("\n# A comment.\n", False), ("\nprint()\n", True)])
def test_edited_code_is_another_training_and_a_comment_is_not(made, monkeypatch, more, other):
    before, file = name_of(made), "models/training/losses.py"
    folder = closure.PACKAGE.folder
    edited = closure.Package(folder, {file: (folder / file).read_text(encoding="utf-8") + more})
    monkeypatch.setattr(closure, "digests", edited.digests)
    assert (name_of(made) != before) == other


def test_every_clip_has_its_own_sum(made):
    reader = examples(made, small(), "train").clips
    sums = fingerprints.checksums(reader)
    assert len(sums) == len(reader)
    assert len(set(sums)) == len(sums)
