"""Pretrained weights in a plan: which jobs they add, and which configurations cannot be run."""

from __future__ import annotations

import re

import pytest
import studies

from facebias.study import StudyError
from facebias.workflow import prepared

STILL = {"flip": 0, "rotate": 0, "brighten": 0}


def changed(*, weights, name="resnet50", augmentation=STILL, seeds=(1,), **settings):
    """Return the small study with weights for one more architecture."""
    given = {"input_size": 32, "weights": weights, **settings}
    given["training"] = {"augmentation": augmentation}
    changes = {f"architectures.{name}": given, "seeds": list(seeds)}
    return studies.changed(studies.SMALL, changes)


def config(tmp_path, **settings):
    return studies.write(changed(**settings), tmp_path)


@pytest.fixture
def file(tmp_path):
    """A file that is there; a plan does not open it."""
    path = tmp_path / "file.pth"
    path.write_bytes(b"weights")
    return str(path)


def planned(tmp_path, path, *arguments):
    return studies.jobs(studies.plan(tmp_path, path, *arguments))


ADDED = ("fetch_weights", "convert_weights", "features")


def test_without_weights_there_are_no_jobs_of_them(tmp_path):
    jobs = planned(tmp_path, studies.write(studies.SMALL, tmp_path))
    assert not set(ADDED) & set(jobs)


@pytest.mark.parametrize(
    ("settings", "fetched", "features"),
    [
        ({}, 0, 0),
        ({"frozen": "backbone"}, 0, 1),
        ({"frozen": "backbone", "augmentation": {"flip": 0.5}}, 0, 0),
        ({"frozen": "backbone", "source": "torchvision"}, 1, 1),
        ({"source": "https://example.org/file.pth"}, 1, 0),
    ],
)
def test_weights_add_their_jobs_once(tmp_path, file, settings, fetched, features):
    given = dict(settings)
    weights = {"source": given.pop("source", file)}
    jobs = planned(tmp_path, config(tmp_path, weights=weights, seeds=(1, 2), **given))
    assert [jobs.get(name, 0) for name in ADDED] == [fetched, 1, features]
    assert jobs["train_model"] == 12  # three architectures, two train splits, two seeds


def test_commands_name_what_is_read(tmp_path, file):
    path = config(tmp_path, weights={"source": file}, frozen="backbone")
    done = studies.plan(tmp_path, path, "--quiet", "progress", "--printshellcmds", "--forceall")
    commands = dict.fromkeys(re.findall(r"python -m facebias (.*)", done.stdout))
    out = "results/small"
    assert sum(f"--pretrained {out}/weights/resnet50.safetensors" in line for line in commands) == 3
    read = [line.split()[0] for line in commands if f"--features {out}/features/resnet50" in line]
    assert sorted(read) == ["predict", "predict", "train", "train"]
    assert not any(str(file) in line for line in commands if line.startswith(("train", "explain")))


KERAS = {"source": "file", "format": "vggface_keras"}
FAULTS = {
    "no such file": (
        {"weights": {"source": "nowhere.pth"}},
        r"resnet50\.weights\.source: no file nowhere\.pth; expected torchvision, an address",
    ),
    "another format": (
        {"weights": KERAS},
        r"weights\.format: found vggface_keras; resnet50 has tor",
    ),
    "unknown format": (
        {"weights": {"source": "file", "format": "caffe"}},
        r"weights\.format: .*caffe.*torchvision",
    ),
    "width": (
        {"weights": {"source": "torchvision"}, "width": 0.5},
        r"resnet50\.width: found 0\.5; pretrained weights fit width 1 alone",
    ),
    "variant": (
        {"weights": {"source": "https://example.org/file", "format": "vggface2"}},
        r"resnet50\.options\.variant: found torchvision; weights of the format vggface2 need caffe",
    ),
    "odd grids": (
        {
            "name": "vggface",
            "weights": {"source": "https://example.org/file", "format": "vggface_dag"},
            "input_size": 240,
        },
        r"vggface\.input_size: found 240; weights of VGGFace need a multiple of 32",
    ),
    "format of no file for it": (
        {"name": "vggface", "weights": {"source": "torchvision"}, "input_size": 96},
        r"weights\.format: found torchvision; vggface has vggface_keras, vggface_dag, vggface_t7",
    ),
    "grid of few pixels": (
        {
            "name": "vggface",
            "weights": {"source": "https://example.org/file", "format": "vggface_t7"},
        },
        r"vggface\.options\.pool: found None; pretrained weights of fewer than 224 pixels need 7",
    ),
    "no source": ({"weights": {"format": "torchvision"}}, r"weights\.source: missing"),
    "source of another format": (
        {
            "weights": {"source": "torchvision", "format": "vggface2"},
            "options": {"variant": "caffe"},
        },
        r"weights\.source: torchvision has none of the format vggface2",
    ),
    "checksum": (
        {"weights": {"source": "torchvision", "sha256": "abc"}},
        r"resnet50\.weights\.sha256: found .abc",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_weights_that_cannot_be_used_are_named(name):
    settings, message = FAULTS[name]
    with pytest.raises(StudyError, match=message):
        prepared.prepare(changed(**settings))


def test_architecture_without_any_weights_is_named():
    changes = {"architectures.cnn3d.weights": {"source": "torchvision"}}
    changes["architectures.cnn3d.width"] = 1
    message = "cnn3d.weights.format: found torchvision; there are none for cnn3d"
    with pytest.raises(StudyError, match=message):
        prepared.prepare(studies.changed(studies.SMALL, changes))
