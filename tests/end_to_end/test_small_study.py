"""A small study run as a user runs it: every stage, a second time, and from scratch again."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import studies
import tracing
import yaml

from facebias import tables
from facebias.data.datasets import ADAPTERS
from facebias.models.architectures import ARCHITECTURES
from facebias.presentation.figures.stage import FIGURES
from facebias.stages import STAGES, closure
from facebias.study import configuration

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("small_study")]


# Of stages that none of the targets of the second run needs.
ALONE = (
    "results/small/figures/gaps/gender.png",
    "results/small/tables/print/fairness_gender.tex",
    "results/small/report/start_page.html",
    "results/small/tables/variance.csv",
    "results/small/tables/redraws.csv",
)
# By hand, or of studies of another kind.
NOT_RUN = {
    *("plan", "figures", "evaluate", "power", "calibrate"),
    *("landmarks", "locate", "fetch", "convert", "features", "decide", "randomise"),
    *("numbered_tables", "published", "published_comparison"),
    *("resolve", "model_card", "checksums", "record"),
}


def known(stage: str) -> set[closure.Node]:
    """Name the definitions of a stage, with all members of all registries."""
    members = {
        *ADAPTERS.values(),
        *ARCHITECTURES.values(),
        *(figure.draw for figure in FIGURES.values()),
    }
    modules = {each.partition(":")[0] for each in members}
    return closure.PACKAGE.reached("facebias.__main__:main", STAGES[stage].run, *modules)


def digests(folder: Path, pattern: str) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob(pattern))
    }


def test_every_target_is_there(study):
    folder, _ = study
    out = folder / "results/small"
    metrics = tables.read(out / "tables/metrics.csv", tables.METRICS)
    cells = metrics[["architecture", "train_split", "test_split"]].drop_duplicates()
    assert len(cells) == 2 * 2 * 2
    fairness = tables.read(out / "tables/fairness.csv", tables.FAIRNESS)
    assert set(fairness["definition"]) >= {"published", "per_class_mean", "worst_class", "signed"}
    assert set(fairness["groups"]) == {"female - male"}
    assert len(list(out.glob("predictions/**/seed-*.parquet"))) == 4
    assert len(list(out.glob("heatmaps/**/*.npz"))) == 2  # only vgg16 is explained
    for png in out.glob("figures/**/*.png"):
        assert png.with_suffix(".pdf").stat().st_size > 1000
        assert len(pd.read_csv(png.with_suffix(".csv"))) > 0
    assert len(list(out.glob("figures/**/*.png"))) > 10
    assert (out / "report.html").stat().st_size > 100_000


def test_resolved_config_is_written_and_runs_the_same_study(study):
    folder, _ = study
    written = folder / "results/small/config.yaml"
    resolved = yaml.safe_load(written.read_text())
    assert resolved == configuration.resolve(studies.SMALL)
    done = studies.plan(folder, written, root=folder)
    assert "Nothing to be done" in done.stdout, done.stdout


def test_second_run_runs_no_job(study):
    folder, config = study
    done = studies.snakemake(folder, config, root=folder)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout, done.stdout


def test_second_run_from_scratch_predicts_the_same_bytes(study, tmp_path, tmp_path_factory):
    """In a process with other hashes of texts; what is called is code that reruns know of."""
    folder, config = study
    called = tmp_path_factory.mktemp("called")
    with studies.warm_process() as address:
        targets = ("predictions", "metrics", "heatmaps", *ALONE)
        noted = {tracing.FOLDER: str(called)}
        done = studies.snakemake(tmp_path, config, *targets, root=folder, address=address, **noted)
    assert done.returncode == 0, done.stdout
    unknown = {
        stage: {each for each in names if each not in known(stage)}
        for stage, names in tracing.read(called).items()
    }
    assert unknown.keys() >= STAGES.keys() - NOT_RUN
    assert {stage: names for stage, names in unknown.items() if names} == {}
    for pattern in ("results/small/predictions/**/seed-*.parquet", "results/small/tables/*.csv"):
        once, again = digests(folder, pattern), digests(tmp_path, pattern)
        assert len(again) >= 4
        assert again == {name: once[name] for name in again}


def test_printed_command_runs_by_hand(study, tmp_path):
    """A command that Snakemake prints works when it is copied to a shell."""
    folder, config = study
    table = folder / "results/small/data/splits/female/seed-1.csv"
    done = studies.plan(
        *(folder, config, "--quiet", "progress", "--printshellcmds"),
        *("--force", str(table.relative_to(folder)), "--until", "split"),
        root=folder,
    )
    (printed,) = [line for line in done.stdout.splitlines() if "-m facebias split" in line]
    command = printed[printed.index("python -m facebias") :]
    before = table.read_bytes()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(studies.ROOT / "workflow")}
    subprocess.run(command, shell=True, check=True, cwd=folder, env=environment)
    assert table.read_bytes() == before
