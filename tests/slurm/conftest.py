"""A pretend cluster for the tests of the SLURM profile."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import profiled
import pytest
import studies

SCRIPT = Path(__file__).with_name("cluster.sh")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-slurm",
        action="store_true",
        help="fail where the pretend cluster cannot start, in place of skipping its tests",
    )


@pytest.fixture(scope="session")
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Run SLURM for the session, with the variables that its commands need."""
    folder = tmp_path_factory.mktemp("cluster") / "slurm"
    started = subprocess.run(
        [SCRIPT, "start", folder], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    if started.returncode:
        stop = pytest.fail if request.config.getoption("--require-slurm") else pytest.skip
        stop(f"no SLURM: {started.stderr}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        patch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("OMP_NUM_THREADS", "1")
        yield
        subprocess.run([SCRIPT, "stop", folder], check=True)


@pytest.fixture(scope="session")
def finished(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> profiled.Study:
    """A small study that ran through the profile."""
    study = profiled.Study(tmp_path_factory.mktemp("finished"))
    studies.write(profiled.CONFIG, study.folder)
    study.run("metrics", "heatmaps")
    return study
