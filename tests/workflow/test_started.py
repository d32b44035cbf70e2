"""What Snakemake does before its first job: it holds the study, and on a node passes signals on."""

import pytest
import studies

from facebias.workflow import lock

FIRST = "results/small/config.yaml"
# Snakemake, saying when it would pass signals on.
TELLING = """
import sys
sys.path.insert(0, {package!r})
from facebias.workflow import relay
relay.pass_on = lambda: print("passes signals on")
from snakemake.cli import main
main(sys.argv[1:])
"""


def test_a_study_that_another_run_holds_is_left_alone(tmp_path):
    config = studies.write(studies.SMALL, tmp_path)
    lock.hold(tmp_path / "results/small")
    done = studies.snakemake(tmp_path, config, FIRST)
    assert done.returncode != 0
    assert "results/small: another Snakemake is at work on this study; wait" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (tmp_path / FIRST).exists()


@pytest.mark.parametrize(("mode", "passes"), [("default", False), ("remote", True)])
def test_signals_are_passed_on_where_one_job_runs_on_a_node(tmp_path, mode, passes):
    (tmp_path / "telling.py").write_text(TELLING.format(package=str(studies.ROOT / "workflow")))
    config = studies.write(studies.SMALL, tmp_path)
    words = ["--snakefile", str(studies.ROOT / "Snakefile"), "--configfile", str(config)]
    words += ["--mode", mode, "--dry-run", "--cores", "1", "--", FIRST]
    done = studies.run("telling", *words, folder=tmp_path)
    assert done.returncode == 0, done.stdout
    assert ("passes signals on" in done.stdout.splitlines()) == passes
