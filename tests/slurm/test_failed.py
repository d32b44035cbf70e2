"""A job that fails on a node says why on the terminal where Snakemake runs."""

from __future__ import annotations

import profiled
import pytest
import studies
from profiled import Study

pytestmark = pytest.mark.slow


def test_reason_of_a_failed_job_is_on_the_terminal(
    cluster: None, tmp_path_factory: pytest.TempPathFactory
):
    study = Study(tmp_path_factory.mktemp("failed"))
    studies.write(studies.without_pictures(study.folder), study.folder)
    with study.start(*studies.MANIFEST, options=("--retries", "0")) as process:
        assert process.wait(profiled.PATIENCE) != 0
    said = study.output.read_text()
    block = "\n".join(
        ["Why manifest failed (results/small/logs/manifest.log):", *studies.NO_PICTURES]
    )
    assert said.count(block) == 1
