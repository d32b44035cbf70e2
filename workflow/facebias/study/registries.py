"""Names that a configuration may hold because a registry of the package has them.

They are read from the registry's text: who plans a study imports neither torch nor data sets. A
further entry of a registry is a further value of its key.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

PACKAGE = Path(__file__).parents[1]


def names(file: str, *registries: str) -> tuple[str, ...]:
    """Return the keys of dictionaries that are written out at the top of a file of the package.

    Not by its syntax tree: every job of a study asks, and to parse the files takes ten times as
    long. Tests hold the names equal to the keys.
    """
    text = (PACKAGE / file).read_text(encoding="utf-8")
    found: dict[str, None] = {}
    for registry in registries:
        (body,) = re.findall(rf"^{registry}\b[^\n]*= \{{$(.*?)^\}}$", text, re.M | re.S)
        found |= dict.fromkeys(re.findall(r'^    "([^"]+)": ', body, re.M))
    return tuple(found)


DATA_SETS = names("data/datasets/__init__.py", "ADAPTERS")
COMPOSITES = names("explanation/composites.py", "COMPOSITES")
if TYPE_CHECKING:
    Adapter = str
    OnDisk = str
    Criterion = str
    Definition = str
    Schedule = str
    WeightsFormat = str
    Method = str
else:
    Adapter = Literal[DATA_SETS]
    OnDisk = Literal[tuple(name for name in DATA_SETS if name not in ("drawn", "combined"))]
    Criterion = Literal[names("evaluation/fairness_criteria.py", "OF_CLASSES", "OF_UNITS")]
    Definition = Literal[names("evaluation/fairness_criteria.py", "DEFINITIONS")]
    Schedule = Literal[names("models/training/schedules.py", "SCHEDULES")]
    WeightsFormat = Literal[names("models/architectures/formats.py", "FORMATS")]
    Method = Literal[names("explanation/methods.py", "METHODS")]
