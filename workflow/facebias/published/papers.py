"""The published studies whose results the project holds as data: what they tested, and on whom."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from facebias import tables
from facebias.published import contracts
from facebias.tables import TableError

RELATIONS = ("higher", "lower", "alike")
ENDS = ("least", "most")


@dataclasses.dataclass(frozen=True)
class Tested:
    """A test set of a paper: its people and, where known, its samples of each label."""

    subjects: int | None
    samples: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Paper:
    """One published study.

    Attributes
    ----------
    reference
        What to cite.
    kind
        ``classes`` or ``units``, as in a configuration.
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
    """

    reference: str
    kind: str
    labels: tuple[str, ...] = ()
    redrawn: str | None = None
    tests: Mapping[str, Tested]
    whole: str | None = None
    pairs: Mapping[str, tuple[str, str]]
    resolution: float


# The captions of tables 14-19 and 23-28 of the first paper all name the regular models. The order
# of its tables says which models they are of, and rates that are means of the two genders confirm
# it. It fused three emotions into upset and evaluated as many videos of it as of each other one.
PAPERS: dict[str, Paper] = {
    "domnich2021": Paper(
        reference="Domnich & Anbarjafari 2021, Responsible AI: gender bias assessment in emotion "
        "recognition",
        kind="classes",
        labels=("surprise", "upset", "sadness", "happiness"),
        redrawn="upset",
        tests={"all": Tested(10, 20), "female": Tested(5, 10), "male": Tested(5, 10)},
        whole="all",
        pairs={"gender": ("female", "male")},
        resolution=1 / 40,
    ),
    "deuschel2020": Paper(
        reference="Deuschel, Finzel & Rieger 2020, Uncovering the bias in facial expressions",
        kind="units",
        tests={
            "female": Tested(10),
            "male": Tested(10),
            "light": Tested(None),
            "dark": Tested(19),
        },
        pairs={"gender": ("female", "male"), "skin": ("dark", "light")},
        resolution=0.01,
    ),
}


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
