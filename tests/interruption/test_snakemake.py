"""Snakemake itself is interrupted or killed while a model trains; the same command goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import processes
import psutil
import pytest
import standstill
import studies
import synthetic

from facebias import study
from facebias.study import configuration
from facebias.workflow import lock

MODEL = Path("cnn3d", "regular", "fold-0", "seed-1")
RESULTS = Path("results", "small")
IDS = ["--architecture", "cnn3d", "--train-split", "regular", "--fold", "0", "--seed", "1"]
CONFIG = studies.changed(
    studies.SMALL,
    {
        "labels.names": list(synthetic.NAMES),
        "training.epochs": 8,
        "training.batch_size": 2,
        "architectures.vgg16": ...,
        "explanation.architectures": [],
        "splits.train": {"regular": {}},
    },
)


def prepare(folder: Path) -> synthetic.Made:
    """Write a study of which all is there but the model."""
    made = synthetic.make(folder / RESULTS)
    data = folder / RESULTS / "data"
    (data / "splits" / "regular").mkdir(parents=True)
    manifest = made.manifest.rename(data / "manifest.csv")
    splits = made.splits.rename(data / "splits" / "regular" / "seed-1.csv")
    return synthetic.Made(manifest, splits, made.index)


def uninterrupted(folder: Path) -> dict[str, str]:
    """Train the model without Snakemake; give the digests of its weights and history."""
    made = prepare(folder)
    loaded = configuration.load(configuration.resolve(CONFIG))
    settings = study.settings(architecture=loaded.architectures["cnn3d"], labels=loaded.labels)
    where = ["--out", "model", "--checkpoints", "checkpoints"]
    arguments = ["train", "--settings", settings, *IDS, *made.arguments(), *where]
    assert processes.run(arguments, folder) == 0, processes.said(folder)
    return results_of(folder / "model")


def results_of(model: Path) -> dict[str, str]:
    digests = processes.digests(model)
    return {name: digests[name] for name in ("weights.safetensors", "history.csv")}


def snakemake(folder: Path, *arguments: str, halting: bool = True) -> subprocess.Popen[str]:
    """Start Snakemake for the model alone, in a group of processes as a shell does.

    With ``halting``, the training stands still when it has saved an epoch.
    """
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(studies.ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "config.yaml")]
    command += ["--profile", str(studies.ROOT / "profiles/local"), "--cores", "1", *arguments]
    command += [str(RESULTS / "models" / MODEL / "weights.safetensors")]
    environment = standstill.environment() if halting else os.environ
    return subprocess.Popen(
        [*command, "--allowed-rules", "train_model"],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**environment, "OMP_NUM_THREADS": "1"},
    )


def halted(running: subprocess.Popen[str]) -> tuple[psutil.Process, list[psutil.Process]]:
    """Wait until the training below a Snakemake stands still; give it, and all processes below."""
    while running.poll() is None:
        below = psutil.Process(running.pid).children(recursive=True)
        for training in standstill.standing(below):
            return training, below
        time.sleep(0.05)
    pytest.fail(f"it ended before its training stood still: {running.communicate()[0]}")


@pytest.mark.slow
def test_interrupted_terminated_and_killed(tmp_path):
    folder = tmp_path / "study"
    (tmp_path / "whole").mkdir()
    expected = uninterrupted(tmp_path / "whole")
    prepare(folder)
    studies.write(CONFIG, folder)
    checkpoint = folder / RESULTS / "checkpoints" / MODEL / "checkpoint.pt"
    log = folder / RESULTS / "logs" / "train" / f"{MODEL}.log"

    # Ctrl-C, and what a scheduler sends to all processes of a job: training saves and stops.
    for number in (signal.SIGINT, signal.SIGTERM):
        running = snakemake(folder)
        halted(running)
        os.killpg(running.pid, number)
        os.killpg(running.pid, signal.SIGCONT)
        printed, _ = running.communicate()
        assert running.returncode == 1, printed
        assert f"stopped by {number.name} in epoch" in log.read_text()
        assert checkpoint.exists()

    # While one lives, another is refused.
    running = snakemake(folder)
    training, orphans = halted(running)
    refused, _ = snakemake(folder).communicate()
    assert "results/small: another Snakemake is at work on this study" in refused
    assert "Traceback" not in refused
    # Killed without notice, its job trains on by itself; the same command goes on.
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    training.resume()
    last = snakemake(folder, halting=False)
    printed, _ = last.communicate()
    assert last.returncode == 0, printed
    psutil.wait_procs(orphans)
    assert results_of(folder / RESULTS / "models" / MODEL) == expected
    assert not (folder / RESULTS / "checkpoints").exists()
    assert [path.name for path in (folder / RESULTS).rglob(".*")] == [lock.FILE]


@pytest.mark.slow
def test_on_a_node_sigterm_is_passed_on_to_the_training(tmp_path):
    """A cluster tells the Snakemake that runs one job, and nobody below it."""
    prepare(tmp_path)
    studies.write(CONFIG, tmp_path)
    checkpoint = tmp_path / RESULTS / "checkpoints" / MODEL / "checkpoint.pt"
    running = snakemake(tmp_path, "--mode", "remote")
    training, _ = halted(running)
    running.terminate()
    standstill.wait_until_sent(signal.SIGTERM, training)
    training.resume()
    printed, _ = running.communicate()
    assert running.returncode != 0, printed
    log = tmp_path / RESULTS / "logs" / "train" / f"{MODEL}.log"
    assert "stopped by SIGTERM in epoch" in log.read_text()
    assert checkpoint.exists()
