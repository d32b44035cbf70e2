"""Jobs: what a rule's command says is what the stage gets, whatever the values are."""

from __future__ import annotations

import dataclasses
import json
import shlex
import typing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from facebias import stages
from facebias.stages import STAGES, closure, job
from facebias.stages.job import Job, input_file, output_file, parameter, threads, wildcard
from facebias.study import section

JOBS = {name: stages.job_class(name) for name, stage in STAGES.items() if stage.jobs}


class Probe(Job):
    """With every kind of option."""

    @section
    class Settings:
        numbers: tuple[int, ...]
        name: str = "a"

    kind: str = parameter("what is probed", unnamed=True)
    settings: Settings = parameter()
    fold: int = wildcard()
    maybe: Path | None = input_file("if there is any")
    many: tuple[str, ...] = parameter(of="several", default=())
    threads: int = threads(default=1)
    out: Path = output_file()
    table_out: Path = output_file(of="table")
    files: tuple[Path, ...] = input_file(of="cells", unnamed=True)


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setitem(STAGES, "probe", dataclasses.replace(STAGES["train"], purpose="probe it"))


ASKED = [
    "a b",
    "--settings",
    '{"numbers": [1, 2]}',
    "--fold",
    "3",
    "--out",
    "o",
    "--table-out",
    "t",
]


def test_a_job_gets_values_of_its_types():
    asked = Probe.of([*ASKED, "x", "y z"])
    assert asked == Probe(
        kind="a b",
        settings=Probe.Settings(numbers=(1, 2)),
        fold=3,
        maybe=None,
        out=Path("o"),
        table_out=Path("t"),
        threads=1,
        files=(Path("x"), Path("y z")),
    )
    assert asked.many == ()


def test_what_is_given_of_nothing_is_nothing():
    """A rule names every option, also where there is no file behind it."""
    asked = Probe.of([*ASKED, "x", "--maybe", "--many"])
    assert (asked.maybe, asked.many) == (None, ())


def test_the_command_of_a_rule():
    assert Probe.command() == (
        "python -m facebias probe {params.kind:q} --settings {params.settings:q}"
        " --fold {wildcards.fold:q} --maybe {input.maybe:q} --many {params.several:q}"
        " --threads {threads} --out {output:q} --table-out {output.table:q} {input.cells:q}"
        " 2> {log:q}"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (ASKED, "files"),
        ([*ASKED[:3], *ASKED[5:], "x"], "--fold"),
        ([*ASKED, "x", "--fold", "first"], "argument --fold: invalid int value: 'first'"),
        ([*ASKED, "x", "--settings", '{"numbers": [1.5]}'], "argument --settings: 1 validation"),
        ([*ASKED, "x", "--settings", '{"number": []}'], "numbers"),
        ([*ASKED, "x", "--settings", "{"], "argument --settings"),
        ([*ASKED, "x", "--new", "1"], "--new"),
    ],
)
def test_what_cannot_be_taken_is_said(arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        Probe.of(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", JOBS)
def test_jobs_are_called_as_their_stage(name):
    assert JOBS[name].stage() == name
    assert f"facebias {name} " in JOBS[name].command()


@pytest.mark.parametrize("name", JOBS)
def test_help_says_what_a_stage_does_and_takes(name, capsys):
    with pytest.raises(SystemExit):
        JOBS[name].of(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert STAGES[name].purpose[1:] in said
    for field in dataclasses.fields(JOBS[name]):
        assert field.name.replace("_", "-") in said or field.name in said
    settings = typing.get_type_hints(JOBS[name]).get("settings")
    if job.is_section(settings):
        assert ", ".join(part.name for part in dataclasses.fields(settings)) in said


@pytest.mark.parametrize("name", JOBS)
def test_the_code_of_a_stage_holds_what_its_jobs_are_asked(name):
    """Or a further option would rerun nothing."""
    kind = JOBS[name]
    assert (kind.__module__, kind.__name__) in closure.PACKAGE.reached(STAGES[name].run)


TEXTS = some.text(
    some.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1
).filter(lambda text: not text.startswith("-"))


@given(kind=TEXTS, many=some.lists(TEXTS), name=TEXTS, files=some.lists(TEXTS, min_size=1))
@settings(deadline=None, max_examples=50)
def test_any_text_comes_through_a_shell(kind, many, name, files):
    """As Snakemake quotes it."""
    stated = json.dumps({"numbers": [1], "name": name})
    values = {"kind": [kind], "settings": [stated], "fold": ["1"], "maybe": [], "many": many}
    values |= {"out": ["o"], "table_out": ["t"], "files": files}
    words = []
    for field in dataclasses.fields(Probe):
        if field.name in values:
            words += [] if field.metadata["unnamed"] else [job.option(field)]
            words.append(" ".join(map(shlex.quote, values[field.name])))
    asked = Probe.of(shlex.split(" ".join(words)))
    assert (asked.kind, list(asked.many), asked.settings.name) == (kind, many, name)
    assert list(asked.files) == [Path(file) for file in files]


def test_settings_are_sections_or_plain():
    for kind in JOBS.values():
        settings = typing.get_type_hints(kind).get("settings")
        assert settings in (None, dict[str, typing.Any]) or job.is_section(settings)
