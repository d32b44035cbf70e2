"""What an edit makes run again: exactly that, and nothing else.

A plan is as good as a run here: Snakemake runs what it plans. Two edits are run all the same; what
an edit of the figures' looks asks for is drawn by `make figures` in test_make_targets.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import studies
from edits import EDITS, Edit, another

from facebias.stages import STAGES

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("small_study")]


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_plans_what_it_touches(study, name, tmp_path):
    clone, _ = study
    edit = EDITS[name]
    config = studies.write(studies.changed(studies.SMALL, edit.config), tmp_path)
    with edited(clone, edit):
        planned = studies.plan(clone, config, *edit.arguments, root=clone)
    assert Counter(studies.jobs(planned)) == edit.jobs


@pytest.mark.parametrize("name", [name for name, edit in EDITS.items() if edit.run])
def test_an_edit_runs_what_it_touches(study, name, tmp_path):
    clone = shutil.copytree(study[0], tmp_path / "clone")
    edit = EDITS[name]
    config = studies.write(studies.changed(studies.SMALL, edit.config), tmp_path)
    before = outputs(clone)
    with edited(clone, edit):
        done = studies.snakemake(clone, config, *edit.arguments, root=clone)
        again = studies.plan(clone, config, root=clone)
    assert Counter(studies.jobs(done)) == edit.jobs
    assert studies.jobs(again) == {}
    made = made_by(done.stdout)
    after = outputs(clone)
    written = {path for path in after if after[path] != before.get(path)}
    assert {output_of(path, made) for path in written} == made


def test_a_comment_in_the_configuration_runs_nothing(study, tmp_path):
    clone, config = study
    commented = tmp_path / "config.yaml"
    commented.write_text("# Why this study.\n" + config.read_text() + "\n# The end.\n")
    assert studies.jobs(studies.plan(clone, commented, root=clone)) == {}


def test_a_fresh_clone_over_old_results_runs_nothing(study, tmp_path):
    """Every file of the code is newer than the results, and lies elsewhere."""
    old, config = study
    origin = studies.clone(tmp_path / "origin", old)
    git("init", "--quiet", folder=origin)
    git("add", ".", folder=origin)
    git("commit", "--quiet", "--message", "all", folder=origin)
    fresh = tmp_path / "fresh"
    git("clone", "--quiet", str(origin), str(fresh), folder=tmp_path)
    for name in ("results", ".snakemake"):
        shutil.copytree(old / name, fresh / name)
    newest = max(path.stat().st_mtime for path in (old / "results").rglob("*"))
    assert (fresh / "workflow/facebias/tables/contract.py").stat().st_mtime > newest
    assert studies.jobs(studies.plan(fresh, config, root=fresh)) == {}


def git(*arguments: str, folder: Path) -> None:
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True)


def test_every_stage_has_an_edit_of_its_source(study):
    clone, config = study
    said = studies.plan(
        clone, config, "--forceall", "--quiet", "progress", "--printshellcmds", root=clone
    ).stdout
    run = set(re.findall(r"-m facebias (\w+)", said))
    assert run <= set(STAGES)
    # `resolve` writes its own settings: what it writes is what was changed.
    assert run - {"resolve"} == {name.removeprefix("source of ") for name in EDITS} & set(STAGES)


@contextlib.contextmanager
def edited(clone: Path, edit: Edit) -> Iterator[None]:
    """Make an edit of files, and undo it: bytes and times are as before."""
    names = [*edit.touched, *([edit.source] if edit.source else [])]
    before = {clone / name: ((clone / name).read_bytes(), (clone / name).stat()) for name in names}
    for name in edit.touched:
        (clone / name).touch()
    if edit.source:
        path = clone / edit.source
        path.write_text(another(path.read_text(), edit))
    yield
    for path, (content, status) in before.items():
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def outputs(clone: Path) -> dict[str, tuple[int, str]]:
    """Return when each file of the results was written, and its digest; not logs and benchmarks."""
    out = clone / "results/small"
    return {
        str(path.relative_to(clone)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.relative_to(out).parts[0] not in ("logs", "benchmarks")
    }


def made_by(said: str) -> set[str]:
    """Read which files and folders the jobs of a run have written."""
    lines = re.findall(r"^    output: (.*)$", said, re.M)
    return {name for line in lines for name in line.split(", ")}


def output_of(path: str, made: set[str]) -> str:
    """Return the folder among ``made`` that a file lies in, else the file."""
    folders = [str(folder) for folder in Path(path).parents]
    return next((folder for folder in folders if folder in made), path)
