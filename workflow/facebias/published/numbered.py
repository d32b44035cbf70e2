"""The tables and figures of the papers by their numbers: what of a study stands in each."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator, Mapping

from facebias.core.vocabulary import printed
from facebias.published import papers
from facebias.published.papers import Keep, Paper, Series
from facebias.study import Study

TABLE, FIGURE = "table", "figure"
HEATMAPS, SUBJECTS = "heatmaps_unit", "subjects"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """One numbered table or figure; see ``papers.Series``."""

    kind: str
    number: int
    drawing: str
    keep: Keep
    select: Mapping[str, str]
    shows: str
    caption: str


def items(paper: Paper) -> Iterator[Item]:
    """Yield the numbered tables and figures of a paper in the order in which they are declared."""
    for series in paper.numbered:
        columns = list(series.each)
        for place, values in enumerate(itertools.product(*series.each.values())):
            each = dict(zip(columns, values, strict=True))
            yield _item(paper, series, series.number + place * series.step, each)


def _item(paper: Paper, series: Series, number: int, each: Mapping[str, str]) -> Item:
    words = {
        column: paper.words.get(column, {}).get(value, printed(value))
        for column, value in each.items()
    }
    shows = series.shows.format(**words)
    cited = re.split(r"(?<=\d{4})", paper.reference, maxsplit=1)[0]
    return Item(
        kind=series.kind,
        number=number,
        drawing=series.drawing,
        keep={**{column: (value,) for column, value in each.items()}, **series.keep},
        select=series.select,
        shows=shows,
        caption=f"As {series.kind} {number} of {cited}: {shows}.",
    )


def of(study: Study, kind: str) -> dict[int, Item]:
    """Return the numbered items that a study can make, by number.

    An item needs a train split, test split and attribute of those it names; a study with some of
    them makes it of these. What shows several experiments at once needs all of them. Of several
    items with one number, the first that can be made is.
    """
    if study.published is None:
        return {}
    found: dict[int, Item] = {}
    for item in items(papers.paper(papers.FOLDER / study.published)):
        if item.kind == kind and _makes(study, item):
            found.setdefault(item.number, item)
    return found


def _makes(study: Study, item: Item) -> bool:
    has = {
        "architecture": study.architectures,
        "train_split": study.splits.train,
        "test_split": study.splits.test,
        "attribute": study.evaluation.attributes,
    }
    shared = all(set(has[name]) & set(values) for name, values in item.keep.items() if name in has)
    if item.drawing == SUBJECTS:
        wanted = item.select["attribute"].split(",")
        whole = len(wanted) == 1 or set(item.keep["train_split"]) <= set(study.splits.train)
        return shared and whole and set(wanted) <= set(study.evaluation.attributes)
    if item.drawing != HEATMAPS:
        return shared
    explaining = study.explanation
    return (
        shared
        and explaining.target == item.select["label"]
        and item.select["attribute"] in study.data.attributes
        and set(item.keep["architecture"]) <= set(explaining.architectures)
        and set(item.keep["method"]) <= set(explaining.methods)
    )
