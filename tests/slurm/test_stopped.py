"""Trainings that SLURM or a user stops, and a killed Snakemake: the same weights in the end."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import profiled
import psutil
import pytest
import standstill
import studies
from profiled import Study

pytestmark = pytest.mark.slow
ARCHITECTURE = "cnn3d"
WEIGHTS = f"results/small/models/{ARCHITECTURE}/regular/fold-0/seed-1/weights.safetensors"
EPOCHS = 8
PAGE = studies.ROOT / "profiles" / "README.md"
Run = tuple[Study, Future[Any]]


@contextlib.contextmanager
def halted(study: Study) -> Iterator[tuple[subprocess.Popen[bytes], psutil.Process, str]]:
    """Start a training; give its Snakemake, the training that stands still, and its job."""
    with study.start(WEIGHTS, halting=True) as process:
        (training,) = study.halted(process)
        (job,) = study.jobs()
        yield process, training, job.number


def scancel(study: Study) -> None:
    with halted(study) as (process, training, job):
        subprocess.run(["scancel", job], check=True)
        standstill.wait_until_sent(signal.SIGTERM, training)
        study.finish(process)
    assert "stopped by SIGTERM" in study.output.read_text()
    kept = study.folder.glob(".snakemake/slurm_logs/rule_train_model/**/*.log")
    assert [path.stem for path in kept] == [job]


def time_limit(study: Study) -> None:
    with halted(study) as (process, training, job):
        # Two minutes more: SLURM sends its warning at its next look at the clock.
        ran = time.time() - study.job(job).time("StartTime")
        limit = f"TimeLimit={int(ran // 60) + 2}"
        subprocess.run(["scontrol", "update", f"JobId={job}", limit], check=True)
        standstill.wait_until_sent(signal.SIGTERM, training)
        study.finish(process)
    assert "stopped by SIGTERM" in study.output.read_text()
    assert [job.fields["TimeLimit"] for job in study.jobs()][1:] == ["2-00:00:00"]


def requeue(study: Study) -> None:
    with halted(study) as (process, training, job):
        subprocess.run(["scontrol", "requeue", job], check=True)
        standstill.wait_until_sent(signal.SIGTERM, training)
        training.resume()
        profiled.wait_for(lambda: study.job(job).state == "PENDING", process=process)
        # SLURM lets it wait for two minutes, which are of no use here.
        subprocess.run(["scontrol", "update", f"JobId={job}", "StartTime=now"], check=True)
        study.finish(process)
    assert [job.number for job in study.jobs()] == [job]
    assert study.job(job).fields["Restarts"] == "1"


def kill_controller(study: Study) -> None:
    """Kill the Snakemake that controls a training: its job goes on, beside that of the next."""
    orphan(study)
    with study.start(WEIGHTS, halting=True) as process:
        study.halted(process, number=2)
        study.finish(process)
    assert len(study.jobs()) == 2


def kill_controller_and_cancel(study: Study) -> None:
    training = orphan(study)
    command = re.search(r"^squeue --me .*$", PAGE.read_text(), re.MULTILINE)[0]
    subprocess.run(command, shell=True, cwd=study.folder, check=True)
    standstill.wait_until_sent(signal.SIGTERM, training)
    training.resume()
    study.run(WEIGHTS)


def orphan(study: Study) -> psutil.Process:
    """Kill the Snakemake that controls a training; give the training, which stands still."""
    with halted(study) as (process, training, job):
        process.kill()
    assert study.job(job).state == "RUNNING"
    return training


STOPS: dict[str, Callable[[Study], None]] = {
    "time limit": time_limit,
    "scancel": scancel,
    "requeue": requeue,
    "killed Snakemake": kill_controller,
    "killed Snakemake, job cancelled": kill_controller_and_cancel,
}


def checksum(study: Study) -> str:
    return hashlib.sha256((study.folder / WEIGHTS).read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def runs(finished: Study, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Run all of them at once, each in a folder of its own, and one that nothing stops."""
    longer = {f"architectures.{ARCHITECTURE}.training": {"epochs": EPOCHS}}

    def prepared(name: str) -> Study:
        study = finished.copy(tmp_path_factory.mktemp(name))
        for part in ("models", "logs"):
            shutil.rmtree(study.results / part)
        studies.write(studies.changed(profiled.CONFIG, longer), study.folder)
        return study

    with ThreadPoolExecutor(len(STOPS) + 1) as pool:
        alone = prepared("alone")
        config = alone.folder / "config.yaml"
        runs = {"alone": (alone, pool.submit(studies.snakemake, alone.folder, config, WEIGHTS))}
        for number, (name, stop) in enumerate(STOPS.items()):
            study = prepared(f"stopped-{number}-")
            runs[name] = study, pool.submit(stop, study)
    return runs


@pytest.mark.parametrize("name", STOPS)
def test_same_weights_as_if_nothing_had_happened(name: str, runs: dict[str, Run]):
    undisturbed, alone = runs["alone"]
    assert alone.result().returncode == 0, alone.result().stdout
    study, stopped = runs[name]
    stopped.result()
    assert checksum(study) == checksum(undisturbed)
    log = study.results / "logs" / "train" / ARCHITECTURE / "regular/fold-0/seed-1.log"
    done = re.search(r"train: (\d+) of \1 epochs", log.read_text())
    # The second of two jobs of one training begins anew where the first ended before it.
    assert name == "killed Snakemake" or int(done[1]) < EPOCHS, log.read_text()
