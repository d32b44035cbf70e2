"""A failed job says why on the terminal, under the profile for one machine; a good run is calm.

The profile for clusters: ``tests/slurm/test_failed.py``.
"""

import re

import pytest
import studies

PROFILE = str(studies.ROOT / "profiles" / "local")
# What Snakemake says of a job that it starts and finishes, in lines.
LINES_PER_JOB = 8


def test_reason_of_a_failed_job_is_on_the_terminal(tmp_path):
    config = studies.write(studies.without_pictures(tmp_path), tmp_path)
    done = studies.snakemake(tmp_path, config, "--profile", PROFILE, "--", *studies.MANIFEST)
    assert done.returncode != 0
    (block,) = re.findall(r"^Why manifest failed \(.*\):\n((?:    .*\n)+)", done.stdout, re.M)
    assert block.splitlines() == studies.NO_PICTURES
    assert (tmp_path / "results/small/logs/manifest.log").read_text().strip() in (
        block.replace("\n    ", "\n").strip()
    )


@pytest.mark.parametrize("options", [(), ("--quiet", "all"), ("--show-failed-logs",)])
def test_reason_is_there_whatever_snakemake_is_told_to_show(tmp_path, options):
    """``--quiet all`` asks for silence and gets it on the terminal alone."""
    config = studies.write(studies.without_pictures(tmp_path), tmp_path)
    done = studies.snakemake(tmp_path, config, *options, "--", *studies.MANIFEST)
    assert done.returncode != 0
    assert (studies.NO_PICTURES[0].strip() in done.stdout) == ("all" not in options)


def test_run_that_goes_well_is_calm(tmp_path):
    config = studies.write(studies.SMALL, tmp_path)
    targets = [f"results/small/{name}" for name in ("config.yaml", "data/splits.csv")]
    done = studies.snakemake(tmp_path, config, "--profile", PROFILE, "--", *targets)
    jobs = studies.jobs(done)
    assert sum(jobs.values()) > 2
    said = done.stdout.partition("Select jobs to execute")[2].partition("Complete log")[0]
    assert len(said.splitlines()) <= LINES_PER_JOB * (1 + sum(jobs.values()))
    assert max(map(len, said.splitlines())) < 100
    for word in ("Why ", "Error", "input:", "reason:", "--settings"):
        assert word not in said
