"""`snakemake published` needs printed tables alone; a study is compared only where it asks."""

import re
import shlex

import pytest
import studies

from facebias.workflow import lock

FUSED = {
    "published": "domnich2021",
    "labels.names": ["happiness", "surprise", "sadness", "anger", "disgust", "contempt"],
    "labels.fuse": {"upset": ["anger", "disgust", "contempt"]},
}
MADE = {
    "domnich2021": (
        "fairness.csv",
        "intervals.csv",
        "extremes.csv",
        "audit.csv",
        "redrawn.csv",
        "statements.csv",
        "contrasts.csv",
        "README.md",
        "figures/gaps.pdf",
        "figures/gaps.png",
        "figures/gaps.csv",
    ),
    "deuschel2020": ("differences.csv", "contrasts.csv", "README.md"),
}


def jobs(output: str) -> dict[str, int]:
    """Read the table of jobs that Snakemake prints."""
    return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", output, flags=re.M)}


def test_published_needs_no_data_and_runs_once(tmp_path):
    config = studies.write(studies.SMALL, tmp_path)
    done = studies.snakemake(tmp_path, config, "published")
    assert done.returncode == 0, done.stdout
    assert jobs(done.stdout) == {
        "figure_published": 1,
        "published": 1,
        "published_classes": 1,
        "published_units": 1,
        "total": 4,
    }
    folder = tmp_path / "results" / "published"
    for paper, names in MADE.items():
        for name in names:
            assert (folder / paper / name).stat().st_size, name
    # Of the study itself nothing is made; its lock is what keeps a second run away.
    made = {path.name for path in (tmp_path / "results").iterdir()}
    assert made == {"published", "small"}
    small = tmp_path / "results" / "small"
    assert [path.name for path in small.iterdir()] == [lock.FILE]
    again = studies.snakemake(tmp_path, config, "published")
    assert "Nothing to be done" in again.stdout


@pytest.mark.parametrize(
    ("changes", "compared"),
    [({}, False), (FUSED, True), ({**FUSED, "published": None}, False)],
    ids=["other labels", "asked for", "not asked for"],
)
def test_a_study_is_compared_only_where_it_asks(tmp_path, changes, compared):
    config = studies.write(studies.changed(studies.SMALL, changes), tmp_path)
    planned = studies.snakemake(tmp_path, config, "--dry-run", "figures")
    assert planned.returncode == 0, planned.stdout
    found = jobs(planned.stdout)
    assert found.get("published_comparison", 0) == compared
    assert found.get("figure_published_comparison", 0) == 4 * compared
    # Two kinds of models and two test sets of three: figures 11, 12, 17, 18, 20-23, 26, 27, 29, 31.
    assert found.get("figure_numbered", 0) == 12 * compared


def test_a_numbered_figure_shows_what_the_study_declared(tmp_path):
    """A network that only sees a variant of the clips stands in no figure of the paper."""
    further = {
        "clips.variants": {"m8": {"margin": 8}},
        "architectures.vgg16_m8": {"network": "vgg16", "clips": "m8"},
    }
    config = studies.write(studies.changed(studies.SMALL, {**FUSED, **further}), tmp_path)
    shown = ("--quiet", "progress", "--printshellcmds")
    figure = "results/small/figures/domnich2021_figure_12"
    said = studies.plan(tmp_path, config, *shown, f"{figure}.png").stdout
    (command,) = (line for line in said.splitlines() if " figure confusion " in line)
    options = {}
    for word in shlex.split(command):
        if word.startswith("--"):
            words = options[word] = []
        elif options:
            words.append(word)
    del options["--settings"]
    (note,) = options.pop("--note")
    assert re.match("As figure 12 of .*: confusion, trained on women, tested on everybody", note)
    assert options == {
        "--select": [],
        "--input": ["confusion=results/small/tables/confusion.csv"],
        "--keep": ["test_split=all", "train_split=female", "architecture=vgg16,cnn3d"],
        "--out": [figure, "2>", "results/small/logs/figures/domnich2021_figure_12.log"],
    }


def test_a_study_that_has_nothing_in_common_is_not_planned(tmp_path):
    config = studies.write(studies.changed(studies.SMALL, {"published": "deuschel2020"}), tmp_path)
    done = studies.snakemake(tmp_path, config, "--dry-run")
    assert done.returncode != 0
    assert "published: deuschel2020 has units, labels.kind is classes" in done.stdout
