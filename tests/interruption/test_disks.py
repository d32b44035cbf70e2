"""A disk that is full or read-only: one clear line, exit status 1, and no half of an output."""

from __future__ import annotations

import disks
import pandas as pd
import processes
import pytest

from facebias import tables

# One worker makes what is interrupted, once for all tests.
pytestmark = pytest.mark.xdist_group("interruption")

DISKS = {
    "full": (disks.full, "No space left on device", "make room on that disk, then run the same"),
    "read-only": (disks.read_only, "Read-only file system", "or set results in the configuration"),
    "limited": (disks.limited, "File too large", "lift the limit on the size of files (ulimit -f)"),
}


@pytest.fixture(scope="session")
def table(tmp_path_factory):
    """A stage that writes a table."""
    folder = tmp_path_factory.mktemp("table")
    cells = {"architecture": "vgg16", "train_split": "regular", "test_split": "all"}
    frame = pd.DataFrame({"label": [f"label {row}" for row in range(200)]}).assign(
        **cells, metric="recall", value=0.5, ci_low=0.25, ci_high=0.75, n_subjects=1, n_samples=1
    )
    tables.write(frame, folder / "metrics.csv", tables.METRICS)
    return ["gather", "metrics", str(folder / "metrics.csv"), "--out", "all.csv"]


@pytest.fixture
def commands(training, extraction, prediction, table):
    """Commands, and the output that each cannot write first."""
    return {
        "train": (training.arguments, f"{processes.CHECKPOINTS}/checkpoint.pt"),
        "extract": (extraction.arguments, "shard-000.npy"),
        "predict": (prediction.arguments, "scores.parquet"),
        "gather": (table, "all.csv"),
    }


def fail(arguments, folder, disk):
    """Run a command on a bad disk; give what it said and the files that it left there."""
    process = processes.start(arguments, folder, before=disk)
    process.join()
    said, _, left = processes.said(folder).partition(processes.LEFT)
    if process.exitcode == disks.NO_NAMESPACE:
        pytest.skip(f"this process may not mount a disk: {said}")
    assert process.exitcode == 1, said
    return said, left.split()


@pytest.mark.parametrize("stage", ["train", "extract", "predict", "gather"])
@pytest.mark.parametrize("disk", DISKS)
def test_output_cannot_be_written(commands, tmp_path, stage, disk):
    arguments, output = commands[stage]
    mount, reason, remedy = DISKS[disk]
    said, left = fail(arguments, tmp_path, mount)
    assert f"facebias {stage}: {output}: cannot be written ({reason}); " in said
    assert remedy in said
    assert "Traceback" not in said
    assert left == []


def test_trained_weights_are_kept_until_there_is_room(training, tmp_path):
    """Where only the model's disk is full, the same command writes what was trained."""
    kept = tmp_path / "checkpoints"
    arguments = [*training.arguments, "--checkpoints", str(kept)]
    (tmp_path / "disk").mkdir()
    said, left = fail(arguments, tmp_path / "disk", disks.full)
    assert "facebias train: model: the weights cannot be written (" in said
    assert "No space left on device" in said
    assert "training does not start anew" in said
    assert "Traceback" not in said
    assert left == []
    assert processes.epochs_kept(kept) == 5
    assert processes.run(arguments, tmp_path / "disk") == 0
    found = processes.digests(tmp_path / "disk" / "model")
    assert found["weights.safetensors"] == training.digests["model/weights.safetensors"]
    assert not kept.exists()
