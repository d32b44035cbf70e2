"""How long large studies take to plan, and a stage to start: printed, never asserted.

The goals, on one core: 10,000 jobs are planned in 30 s, 1,000 jobs with nothing to do are through
in 8 s, and a stage without torch starts in 2 s.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import studies
import yaml
from snakemake.api import SnakemakeApi

from facebias.stages import STAGES
from facebias.workflow import plan

DEMO = yaml.safe_load((studies.ROOT / "config/demo.yaml").read_text())
N_NETWORKS, N_SPLITS = len(DEMO["architectures"]), len(DEMO["splits"]["train"])
# Starts a stage as `python -m facebias` does, then says whether torch was imported.
START = """
import sys
from facebias.__main__ import main
try:
    main([sys.argv[1], "--help"])
except SystemExit:
    print("torch" in sys.modules, file=sys.stderr)
"""
LIGHT = {"resolve", "manifest", "index", "split", "metrics", "fairness", "gather", "figure"}


def demo(folder: Path, *, folds: int, seeds: int) -> Path:
    """Write the demo with so many folds and seeds."""
    changes = {
        "splits.holdout": ...,
        "splits.folds": {"k": folds},
        "seeds": list(range(1, seeds + 1)),
    }
    return studies.write(studies.changed(DEMO, changes), folder)


def snakemake(folder: Path, config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return studies.snakemake(folder, config, "--quiet", "rules", *arguments)


def test_plan_of_ten_thousand_jobs(benchmark, results, tmp_path):
    """What a run does before its first job. A dry run also words every job, which takes longer.

    Where the time goes stands in profiles.md. What counts of ours is the number of inputs, and of
    functions that are asked for every job.
    """
    config = demo(tmp_path, folds=10, seeds=28)
    words = ["--snakefile", str(studies.ROOT / "Snakefile"), "--directory", str(tmp_path)]
    command = [sys.executable, "-m", "facebias", "plan", *words, "--configfile", str(config)]
    environment = {**studies.ENVIRONMENT, "PYTHONPATH": str(studies.ROOT / "workflow")}

    def plan_it() -> str:
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env=environment
        ).stdout

    said = benchmark.pedantic(plan_it, rounds=1)
    jobs = {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+) ", said, re.M)}
    assert jobs["train_model"] == jobs["predict"] == N_NETWORKS * N_SPLITS * 10 * 28
    assert jobs["together"] > 10_000
    planned = benchmark.stats.stats.median
    start = time.perf_counter()
    snakemake(tmp_path, config, "--dry-run")
    worded = time.perf_counter() - start
    what = f"{jobs['together']:,} jobs"
    results.add(f"plan of {what}", f"{planned:.0f} s", goal="30 s")
    results.add(f"dry run of {what}", f"{worded:.0f} s")


def test_thousand_jobs_with_nothing_to_do(benchmark, results, tmp_path):
    config = demo(tmp_path, folds=5, seeds=5)
    n_jobs, n_outputs = pretend(tmp_path, config)
    assert n_jobs > 1_000
    # As after a real run: without records, Snakemake would have less to compare.
    records = [path for path in tmp_path.glob(".snakemake/metadata/**/*") if path.is_file()]
    assert len(records) == n_outputs
    said = benchmark.pedantic(snakemake, (tmp_path, config), rounds=3, warmup_rounds=1)
    assert studies.jobs(said) == {}
    seconds = benchmark.stats.stats.median
    results.add(f"run of {n_jobs:,} finished jobs", f"{seconds:.1f} s", goal="8 s")


def pretend(folder: Path, config: Path) -> tuple[int, int]:
    """Make all outputs of a study, empty, and have Snakemake take them for finished.

    Returns
    -------
    The number of jobs, and of their outputs.
    """
    words = ["--snakefile", str(studies.ROOT / "Snakefile"), "--directory", str(folder)]
    with SnakemakeApi(plan.OUTPUT) as api:
        workflow = plan.planned(api, [*words, "--configfile", str(config)])
        jobs = [job for job in workflow.dag.jobs if job.output]
        outputs = {folder / file: file.is_directory for job in jobs for file in job.output}
    for path, is_folder in outputs.items():
        (path if is_folder else path.parent).mkdir(parents=True, exist_ok=True)
        if not is_folder:
            path.touch()
    touched = studies.snakemake(folder, config, "--touch", "--forceall")
    assert touched.returncode == 0, touched.stdout
    return len(jobs), len(outputs)


def test_plan_of_a_hundred_thousand_videos(benchmark, results, tmp_path):
    """Clips are cut in shards: hundreds of jobs, and a model does not list their files."""
    n, shards = 100_000, 400
    labels = ["happiness", "surprise"]
    subjects = pd.DataFrame({"subject": [f"S{number:04d}" for number in range(1000)]})
    subjects["gender"] = ["female", "male"] * 500
    subjects.to_csv(tmp_path / "subjects.csv", index=False)
    videos = pd.DataFrame({"path": [f"videos/{number:06d}.mp4" for number in range(n)]})
    videos["subject"] = subjects["subject"].to_numpy()[videos.index % 1000]
    videos["label"] = [labels[number // 1000 % 2] for number in range(n)]
    videos.to_csv(tmp_path / "videos.csv", index=False)
    changes = {
        "data": {
            "adapter": "videos",
            "root": str(tmp_path),
            "manifest": "videos.csv",
            "subjects": "subjects.csv",
            "attributes": ["gender"],
        },
        "labels": {"names": labels},
        "clips.shards": shards,
        "splits.holdout": ...,
        "splits.folds": {"k": 10, "balance": ["gender"]},
    }
    config = studies.write(studies.changed(DEMO, changes), tmp_path)
    said = benchmark.pedantic(snakemake, (tmp_path, config, "--dry-run"), rounds=1)
    jobs = studies.jobs(said)
    assert jobs["extract"] == shards
    assert jobs["train_model"] == N_NETWORKS * N_SPLITS * 10
    assert sum(jobs.values()) < 1_500
    results.add(
        f"plan of a study of 100,000 videos, {sum(jobs.values()):,} jobs",
        f"{benchmark.stats.stats.median:.0f} s",
    )


def test_start_of_stages(capsys, results):
    rows = []
    for name in STAGES:
        done, seconds = start(name)
        rows.append({"stage": name, "seconds": seconds, "torch": done.stderr.strip() == "True"})
    table = pd.DataFrame(rows).sort_values(["torch", "seconds"], ignore_index=True)
    slowest = table[~table["torch"]].sort_values("seconds").iloc[-1]
    results.add(
        f"start of {(~table['torch']).sum()} stages without torch",
        f"{table.loc[~table['torch'], 'seconds'].median():.1f} s, {slowest['stage']} "
        f"{slowest['seconds']:.1f} s",
        goal="2 s",
    )
    with capsys.disabled():
        print("\nStart of stages, best of three:")
        print(table.round(2).to_string(index=False))
    assert set(table.loc[~table["torch"], "stage"]) >= LIGHT


def start(name: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """Start a stage three times; give what it said and the least of the seconds."""
    seconds = []
    for _ in range(3):
        before = time.perf_counter()
        command = [sys.executable, "-c", START, name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds.append(time.perf_counter() - before)
    return done, min(seconds)
