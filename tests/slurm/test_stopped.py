"""Trainings that SLURM or a user stops, and a killed Snakemake: the same weights in the end."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import profiled
import pytest
import studies
from profiled import Study

pytestmark = pytest.mark.slow
# Long enough to be stopped on the way; SLURM looks at time limits every 30 s.
EPOCHS = {"cnn3d": 250, "vgg16": 800}
PAGE = studies.ROOT / "profiles" / "README.md"
Run = tuple[Study, Future[Any]]


def scancel(study: Study, weights: str) -> None:
    with study.start(weights) as process:
        stopped = training(study, process)
        subprocess.run(["scancel", stopped], check=True)
        study.finish(process)
    assert "stopped by SIGTERM" in study.output.read_text()
    kept = study.folder.glob(".snakemake/slurm_logs/rule_train_model/**/*.log")
    assert [path.stem for path in kept] == [stopped]


def time_limit(study: Study, weights: str) -> None:
    with study.start(weights) as process:
        stopped = training(study, process)
        # Two minutes more: SLURM sends its warning at its next look at the clock.
        ran = time.time() - study.job(stopped).time("StartTime")
        limit = f"TimeLimit={int(ran // 60) + 2}"
        subprocess.run(["scontrol", "update", f"JobId={stopped}", limit], check=True)
        study.finish(process)
    assert "stopped by SIGTERM" in study.output.read_text()
    assert [job.fields["TimeLimit"] for job in study.jobs()][1:] == ["2-00:00:00"]


def requeue(study: Study, weights: str) -> None:
    with study.start(weights) as process:
        stopped = training(study, process)
        subprocess.run(["scontrol", "requeue", stopped], check=True)
        profiled.wait_for(lambda: study.job(stopped).state == "PENDING", process=process)
        # SLURM lets it wait for two minutes, which are of no use here.
        subprocess.run(["scontrol", "update", f"JobId={stopped}", "StartTime=now"], check=True)
        study.finish(process)
    assert [job.number for job in study.jobs()] == [stopped]
    assert study.job(stopped).fields["Restarts"] == "1"


def kill_controller(study: Study, weights: str) -> None:
    orphan(study, weights)
    study.run(weights)
    assert len(study.jobs()) == 2


def kill_controller_and_cancel(study: Study, weights: str) -> None:
    orphan(study, weights)
    command = re.search(r"^squeue --me .*$", PAGE.read_text(), re.MULTILINE)[0]
    subprocess.run(command, shell=True, cwd=study.folder, check=True)
    study.run(weights)


def orphan(study: Study, weights: str) -> None:
    """Kill the Snakemake that controls a training; the job goes on."""
    with study.start(weights) as process:
        left = training(study, process)
        process.kill()
    assert study.job(left).state == "RUNNING"


def training(study: Study, process: subprocess.Popen[bytes]) -> str:
    """Wait until a training has saved a few epochs; give the number of its job."""
    saved = set()

    def several() -> bool:
        checkpoints = study.results.glob("checkpoints/*/*/*/*/checkpoint.pt")
        saved.update(checkpoint.stat().st_mtime_ns for checkpoint in checkpoints)
        return len(saved) > 2

    profiled.wait_for(several, process=process)
    (job,) = study.jobs()
    return job.number


# What is done to which training.
STOPS: dict[str, tuple[Callable[[Study, str], None], str]] = {
    "time limit": (time_limit, "vgg16"),
    "scancel": (scancel, "cnn3d"),
    "requeue": (requeue, "cnn3d"),
    "killed Snakemake": (kill_controller, "cnn3d"),
    "killed Snakemake, job cancelled": (kill_controller_and_cancel, "cnn3d"),
}


def weights_of(architecture: str) -> str:
    return f"results/small/models/{architecture}/regular/fold-0/seed-1/weights.safetensors"


def checksum(study: Study, architecture: str) -> str:
    return hashlib.sha256((study.folder / weights_of(architecture)).read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def runs(finished: Study, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Run all of them at once, each in a folder of its own, and one that nothing stops."""
    longer = {f"architectures.{name}.training": {"epochs": n} for name, n in EPOCHS.items()}

    def prepared(name: str) -> Study:
        study = finished.copy(tmp_path_factory.mktemp(name))
        for part in ("models", "logs"):
            shutil.rmtree(study.results / part)
        studies.write(studies.changed(profiled.CONFIG, longer), study.folder)
        return study

    with ThreadPoolExecutor(len(STOPS) + 1) as pool:
        alone = prepared("alone")
        targets = map(weights_of, EPOCHS)
        config = alone.folder / "config.yaml"
        runs = {"alone": (alone, pool.submit(studies.snakemake, alone.folder, config, *targets))}
        for number, (name, (stop, architecture)) in enumerate(STOPS.items()):
            study = prepared(f"stopped-{number}-")
            runs[name] = study, pool.submit(stop, study, weights_of(architecture))
    return runs


@pytest.mark.parametrize("name", STOPS)
def test_same_weights_as_if_nothing_had_happened(name: str, runs: dict[str, Run]):
    undisturbed, alone = runs["alone"]
    assert alone.result().returncode == 0, alone.result().stdout
    study, stopped = runs[name]
    stopped.result()
    stop, architecture = STOPS[name]
    assert checksum(study, architecture) == checksum(undisturbed, architecture)
    log = (study.results / "logs/train" / architecture / "regular/fold-0/seed-1.log").read_text()
    done = re.search(r"train: (\d+) of \1 epochs", log)
    # The second of two jobs of one training begins anew where the first ended before it.
    assert stop is kill_controller or int(done[1]) < EPOCHS[architecture], log
