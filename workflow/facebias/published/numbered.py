"""The tables and figures of the papers by their numbers: what of a study stands in each."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator, Mapping

from facebias.core.vocabulary import printed
from facebias.published.papers import PAPERS
from facebias.study import Study

TABLE, FIGURE = "table", "figure"
HEATMAPS, SUBJECTS = "heatmaps_unit", "subjects"
# Drawings of every architecture that a study declared, not of one.
OF_ALL_ARCHITECTURES = ("boxes", "confusion", "gaps", "rates")
# Whose models, and tested on whom, in words.
MODELS = {
    "regular": "everybody",
    "female": "women",
    "male": "men",
    "mixed": "both",
    "light": "people with light skin",
}
TESTED = {"all": "everybody", "female": "women", "male": "men", "dark": "people with dark skin"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """One numbered table or figure.

    Attributes
    ----------
    kind, number
        As the paper has it.
    drawing
        How it is made: a layout of ``report.numbered`` or a figure of ``figures.stage``.
    keep
        Column to values: the rows of our tables that stand in it, in this order.
    select
        What else the figure is asked for.
    shows
        What it shows, in our words.
    """

    kind: str
    number: int
    drawing: str
    keep: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    select: Mapping[str, str] = dataclasses.field(default_factory=dict)
    shows: str

    def caption(self, paper: str) -> str:
        """Say which item of which paper this is, and what it shows.

        >>> ITEMS["domnich2021"][1].caption("domnich2021")
        'As table 2 of Domnich & Anbarjafari 2021: accuracy, trained on everybody, tested on everybody.'
        """  # noqa: E501
        cited = re.match(r".*?\d{4}", PAPERS[paper].reference)[0]
        return f"As {self.kind} {self.number} of {cited}: {self.shows}."


def of(study: Study, kind: str) -> dict[int, Item]:
    """Return the numbered items that a study can make, by number.

    An item needs a train split, test split and attribute of those it names; a study with some of
    them makes it of these. What shows several experiments at once needs all of them. Of several
    items with one number, the first that can be made is.
    """
    if study.published is None:
        return {}
    found: dict[int, Item] = {}
    for item in ITEMS[study.published]:
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


def _domnich2021() -> Iterator[Item]:
    trains, tests = ("regular", "female", "male"), ("all", "female", "male")
    labels = {"label": PAPERS["domnich2021"].labels}
    yield Item(
        kind=TABLE,
        number=1,
        drawing="hyperparameters",
        shows="learning rate, batch size and weight decay of every network",
    )
    cells = itertools.product(tests, trains, ("accuracy", "tpr", "fpr"))
    for number, (test, train, metric) in enumerate(cells, 2):
        yield Item(
            kind=TABLE,
            number=number,
            drawing="rates",
            keep={"test_split": (test,), "train_split": (train,), "metric": (metric,), **labels},
            shows=f"{printed(metric)}, trained on {MODELS[train]}, tested on {TESTED[test]}",
        )
    for number, (test, train) in enumerate(itertools.product(tests, trains), 11):
        yield Item(
            kind=FIGURE,
            number=number,
            drawing="confusion",
            keep={"test_split": (test,), "train_split": (train,)},
            shows=f"confusion, trained on {MODELS[train]}, tested on {TESTED[test]}",
        )
    accuracy = {"metric": ("accuracy",), **labels}
    for place, train in enumerate(trains):
        yield Item(
            kind=FIGURE,
            number=20 + 2 * place,
            drawing="gaps",
            # What the paper calls demographic parity is a gap in accuracy.
            keep={
                "attribute": ("gender",),
                "train_split": (train,),
                "definition": ("published",),
                "criterion": ("equal_opportunity", "equalized_odds", "accuracy_gap"),
            },
            shows=f"three gaps between women and men, trained on {MODELS[train]}",
        )
        yield Item(
            kind=FIGURE,
            number=21 + 2 * place,
            drawing="boxes",
            keep={"train_split": (train,), "test_split": tests, **accuracy},
            shows=f"accuracy over all networks, trained on {MODELS[train]}",
        )
        yield Item(
            kind=FIGURE,
            number=26 + place,
            drawing="rates",
            keep={"train_split": (train,), "test_split": tests, **accuracy},
            shows=f"accuracy on three test sets, trained on {MODELS[train]}",
        )
    for number, test in enumerate(tests, 29):
        yield Item(
            kind=FIGURE,
            number=number,
            drawing="rates",
            keep={"train_split": trains, "test_split": (test,), **accuracy},
            select={"series": "train_split"},
            shows=f"accuracy of three kinds of models, tested on {TESTED[test]}",
        )


def _deuschel2020() -> Iterator[Item]:
    # Experiment: table, attribute, training sets, test sets, and its figure of heatmaps with the
    # training set and the group of test subjects.
    experiments = (
        (1, "gender", ("female", "male", "mixed"), ("female", "male"), 9, "male", "female"),
        (2, "skin", ("light",), ("light", "dark"), 10, "light", "dark"),
    )
    yield Item(
        kind=FIGURE,
        number=4,
        drawing=SUBJECTS,
        keep={"train_split": tuple(train for _, _, trains, *_ in experiments for train in trains)},
        select={"attribute": ",".join(attribute for _, attribute, *_ in experiments)},
        shows="both experiments as they were run",
    )
    for table, attribute, trains, tests, figure, train, group in experiments:
        yield Item(
            kind=TABLE,
            number=table,
            drawing="scores",
            keep={
                "train_split": trains,
                "test_split": tests,
                "label": ("overall",),
                "metric": ("f1_macro", "f1_weighted"),
            },
            shows=f"F1 scores by {printed(attribute)} of those trained on and tested on",
        )
        yield Item(
            kind=FIGURE,
            number=4,
            drawing=SUBJECTS,
            keep={"train_split": trains},
            select={"attribute": attribute},
            shows=f"the experiment on {printed(attribute)} as it was run",
        )
        yield Item(
            kind=FIGURE,
            number=figure,
            drawing=HEATMAPS,
            keep={"method": ("lrp",), "architecture": ("vgg16",), "train_split": (train,)},
            select={"attribute": attribute, "group": group, "label": "AU1"},
            shows="where the inner brow raiser is seen in "
            f"{TESTED[group]} by a network trained on {MODELS[train]}",
        )
    yield Item(
        kind=FIGURE, number=5, drawing="occurrences", shows="how often each Action Unit occurs"
    )


ITEMS: dict[str, tuple[Item, ...]] = {
    "domnich2021": tuple(_domnich2021()),
    "deuschel2020": tuple(_deuschel2020()),
}
