"""Published studies beside ours: what they tested, on whom, and what they printed.

Each is a folder of ``replications`` that no code names: ``paper.yaml`` (a ``Paper``), the printed
numbers, what the paper says about them, and the template of its page.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import pydantic
import yaml
from pydantic import Field

from facebias import tables
from facebias.published import contracts
from facebias.study import ConfigError, build, faults, section
from facebias.study.values import Number, SomeTexts, Text
from facebias.tables import TableError

FOLDER = Path(__file__).parents[3] / "replications"
PAPER, PRINTED, PAGE = "paper.yaml", "printed.csv", "page.md.jinja"
CONTRASTS, RANKINGS = "contrasts.csv", "rankings.csv"
RELATIONS = ("higher", "lower", "alike")
ENDS = ("least", "most")
Keep = Mapping[str, SomeTexts]


@section
class Tested:
    """A test set of a paper: its people and its samples of each label, as far as is known."""

    subjects: int | None = None
    samples: int | None = None


@section
class Series:
    """Numbered tables or figures of one kind: a single one, or one for each of some values.

    Attributes
    ----------
    kind, number, step
        As the paper has the first of them, and how far it is from one to the next.
    each
        Column to values: of every combination, the last column first, there is one.
    drawing
        How it is made: a layout of ``report.numbered`` or a kind of figure.
    keep
        Column to values: which rows of our tables stand in it, in this order.
    select
        What else the figure is asked for.
    shows
        What it shows, in our words; ``{column}`` stands for a value of ``each``.
    """

    kind: Literal["table", "figure"]
    number: Number
    step: Number = 1
    each: Keep = Field(default_factory=dict)
    drawing: Text
    keep: Keep = Field(default_factory=dict)
    select: Mapping[str, Text] = Field(default_factory=dict)
    shows: Text


@section
class Paper:
    """One published study.

    Attributes
    ----------
    reference
        What to cite.
    kind
        As in a configuration.
    labels
        The evaluated classes; empty where a paper prints no label of its own.
    redrawn
        The class that was cut down at random to the size of the others; None if none was.
    tests
        The test sets.
    whole
        The test set that holds all the others; None if there is none.
    pairs
        Attribute to its two groups, which are test sets, sorted by name.
    resolution
        A difference up to this is called alike: one sample of a group, or one unit in the last
        place printed.
    words
        Column to what its values are called where a numbered table or figure is described.
    numbered
        Its tables and figures.
    """

    reference: Annotated[str, Field(pattern=r"\d{4}")]
    kind: Literal["classes", "units"]
    labels: tuple[Text, ...] = ()
    redrawn: Text | None = None
    tests: Mapping[str, Tested]
    whole: Text | None = None
    pairs: Mapping[str, tuple[Text, Text]]
    resolution: float
    words: Mapping[str, Mapping[str, Text]] = Field(default_factory=dict)
    numbered: tuple[Series, ...] = ()


def names() -> list[str]:
    """Name the published studies that are there."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{PAPER}"))


def of_kind(kind: str) -> list[str]:
    """Name those of one kind, and check nothing else: every job of a study asks."""
    return [name for name in names() if _said(FOLDER / name / PAPER)["kind"] == kind]


def _said(path: Path) -> Any:
    # A hundred times as fast as the reader in Python.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)


@functools.cache
def paper(folder: Path) -> Paper:
    """Read what is known of a published study.

    Raises
    ------
    ConfigError
        With one line per fault of ``paper.yaml``: its key, what was found and what is allowed.
    """
    path = folder / PAPER
    said = _said(path)
    try:
        return build(Paper, said)
    except pydantic.ValidationError as error:
        lines = faults.describe(Paper, said, error.errors(include_url=False))
    raise ConfigError([f"{path}: {line}" for line in lines])


def values(path: Path | str, paper: Paper) -> pd.DataFrame:
    """Read the printed numbers of a paper, with a column ``printed`` of numbers.

    Raises
    ------
    TableError
        If a value is no number from 0 to 1, or a test set or label is not one of the paper's.
    """
    frame = tables.read(path, contracts.VALUES)
    frame["printed"] = pd.to_numeric(frame["value"], errors="coerce")
    labels = (*paper.labels, "overall")
    _hold(path, frame, "value", frame["printed"].between(0, 1), "a number from 0 to 1")
    _hold(path, frame, "test_split", frame["test_split"].isin(paper.tests), ", ".join(paper.tests))
    _hold(path, frame, "label", frame["label"].isin(labels), ", ".join(labels))
    return frame


def rankings(path: Path | str) -> pd.DataFrame:
    """Read what a paper says about who is most and least biased."""
    frame = tables.read(path, contracts.RANKINGS)
    _hold(path, frame, "end", frame["end"].isin(ENDS), " or ".join(ENDS))
    return frame


def contrasts(path: Path | str) -> pd.DataFrame:
    """Read what a paper says about two of its numbers."""
    frame = tables.read(path, contracts.CONTRASTS)
    _hold(path, frame, "relation", frame["relation"].isin(RELATIONS), ", ".join(RELATIONS))
    return frame


def _hold(
    path: Path | str, frame: pd.DataFrame, column: str, holds: pd.Series, expected: str
) -> None:
    if not holds.all():
        row = int((~holds).to_numpy().argmax())
        found = frame[column].iloc[row]
        raise TableError(f"{path}: row {row + 2}: {column} is {found}; expected {expected}")
