"""What the jobs of a study ask SLURM for through the profile, and where their logs are."""

from __future__ import annotations

from collections import Counter

import profiled
import pytest
from profiled import Job, Study

pytestmark = pytest.mark.slow
GPU_RULES = set(profiled.SETTINGS["set-resources"])


def test_network_stages_ask_for_one_v100_and_no_other_job_does(finished: Study):
    asked = {job.name: (job.fields["Partition"], job.gpus) for job in finished.jobs()}
    networks = {name for name in asked if name in GPU_RULES}
    assert networks >= {"train_model", "predict", "explain"}
    assert {asked[name] for name in networks} == {("gpu", "gres:gpu:v100:1")}
    assert {asked[name] for name in set(asked) - networks} == {("cpu", "")}


def test_gpu_jobs_are_capped_in_the_queue_and_on_the_node(finished: Study):
    jobs = [job for job in finished.jobs() if job.gpus]
    assert most_at_a_time(jobs, "SubmitTime") > 2
    assert most_at_a_time(jobs, "SubmitTime") <= profiled.SETTINGS["resources"]["gpu"]
    assert most_at_a_time(jobs, "StartTime") == 2


def most_at_a_time(jobs: list[Job], begin: str) -> int:
    """Count the jobs that were there together at most, from ``begin`` to their end."""
    return max(
        sum(other.time(begin) <= job.time(begin) < other.time("EndTime") for other in jobs)
        for job in jobs
    )


def test_small_jobs_share_places_in_the_queue(finished: Study):
    """Predictions, metrics and gaps of all models, and their tables: each is one job of SLURM."""
    benchmarks = finished.results / "benchmarks"
    ran = Counter(path.relative_to(benchmarks).parts[0] for path in benchmarks.rglob("*.tsv"))
    assert min(ran[stage] for stage in ("metrics", "fairness", "gather")) > 2
    places = Counter(job.name.partition("_")[0] for job in finished.jobs())
    assert [places[name] for name in ("predictions", "cells", "report")] == [1, 1, 1]


def test_logs_are_where_the_page_says(finished: Study):
    logs = {path.relative_to(finished.results / "logs") for path in finished.results.rglob("*.log")}
    benchmarks = finished.results / "benchmarks"
    ran = {path.relative_to(benchmarks).with_suffix(".log") for path in benchmarks.rglob("*.tsv")}
    assert logs == ran
    assert not list(finished.folder.glob(".snakemake/slurm_logs/**/*.log"))
