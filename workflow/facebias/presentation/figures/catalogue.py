"""The kinds of figures: what draws each, from which results of a study, and where it is shown.

A new one is a module in this package, an entry here, and the caption in ``workflow/report``. From
these come its rule, its place in the queue of a cluster and its place in the report.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

# The input of a function that reads any number of tables, and what a rule calls it.
ANY, EACH = "*", "each"
# Chapters of the report.
GAPS, RATES, CONFUSION = "1. Gaps between groups", "2. Accuracy and rates", "3. Confusion matrices"
HEATMAPS, TRAINING, DATA = "4. Heatmaps", "5. Training", "6. Data"
BESIDE = "9. Beside the published study"
# Tables with a row of every architecture.
BY_ARCHITECTURE = {"confusion", "fairness", "metrics", "metrics_by_group"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
    """One kind of figure.

    Attributes
    ----------
    draw
        ``module:function``; what they are is said in ``figures.stage``.
    reads
        Input of the module to a result of a study, by its name in ``rules/figures.smk``; ``*`` to
        one that is a list of files.
    path
        Path of the files below the folder of figures, without their endings. None: it is drawn only
        under its number in a paper.
    of
        Wildcard of the path to the list of its values, by its name in ``Targets``.
    needs
        What a study must have for it, by its name in ``Targets``.
    select
        What is selected beside the wildcards, by its name in ``rules/figures.smk``.
    declared
        Whether it shows the declared architectures alone: with a panel for each there is room for
        no more.
    category, labels
        Chapter of the report, and columns of the line there.
    """

    draw: str
    reads: Mapping[str, str]
    path: str | None = None
    of: Mapping[str, str] = dataclasses.field(default_factory=dict)
    needs: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    declared: bool = False
    category: str = ""
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def by_architecture(self) -> bool:
        """Whether it is drawn from rows of several architectures."""
        return not BY_ARCHITECTURE.isdisjoint(self.reads.values())

    @property
    def module(self) -> str:
        """The module that draws it."""
        return self.draw.partition(":")[0]

    def inputs(self, results: Mapping[str, object]) -> dict[str, object]:
        """Return the inputs of its rule."""
        return {
            EACH if name == ANY else name: results[result] for name, result in self.reads.items()
        }

    def read(self, given: Mapping[str, str | Iterable[str]]) -> list[str]:
        """Name the ``given`` inputs of its rule for ``facebias figure --input``."""
        return list(self._named(given))

    def _named(self, given: Mapping[str, str | Iterable[str]]) -> Iterator[str]:
        for name in self.reads:
            found = given[EACH if name == ANY else name]
            # What a study may have or not is a list with nothing in it.
            paths = [found] if isinstance(found, str) else list(found)
            for number, path in enumerate(paths, 1):
                yield f"{number if name == ANY else name}={path}"


def pairs(chosen: Mapping[str, str | Sequence[str]]) -> list[str]:
    """Write ``COLUMN=VALUES`` for what is chosen; commas part values, and no value is no choice."""
    words = {name: one if isinstance(one, str) else ",".join(one) for name, one in chosen.items()}
    return [f"{name}={value}" for name, value in words.items() if value]


FIGURES = {
    "gaps_signed": Figure(
        draw="facebias.presentation.figures.gaps_signed:draw",
        reads={"fairness": "fairness"},
        path="gaps_signed/{attribute}",
        of={"attribute": "attributes"},
        category=GAPS,
        labels={"attribute": "{attribute}", "gaps": "signed"},
    ),
    "gaps_labels": Figure(
        draw="facebias.presentation.figures.gaps_labels:draw",
        reads={"fairness": "fairness"},
        path="gaps_labels/{attribute}",
        of={"attribute": "attributes"},
        category=GAPS,
        labels={"attribute": "{attribute}", "gaps": "label by label"},
    ),
    "gaps": Figure(
        draw="facebias.presentation.figures.gaps:draw",
        reads={"fairness": "fairness"},
        path="gaps/{attribute}",
        of={"attribute": "attributes"},
        category=GAPS,
        labels={"attribute": "{attribute}", "gaps": "sizes"},
    ),
    "variance": Figure(
        draw="facebias.presentation.figures.variance:draw",
        reads={"variance": "variance"},
        path="variance/{attribute}",
        of={"attribute": "repeated"},
        category=GAPS,
        labels={"attribute": "{attribute}", "gaps": "sources of variance"},
    ),
    "redraws": Figure(
        draw="facebias.presentation.figures.redraws:draw",
        reads={"redraws": "redraws"},
        path="redraws/{attribute}",
        of={"attribute": "attributes"},
        category=GAPS,
        labels={"attribute": "{attribute}", "gaps": "with other test subjects"},
    ),
    "sensitivity": Figure(
        draw="facebias.presentation.figures.sensitivity:draw",
        reads={"metrics": "metrics", "fairness": "fairness"},
        path="sensitivity/{attribute}",
        of={"attribute": "varied"},
        select=("variants",),
        category=GAPS,
        labels={"attribute": "{attribute}", "gaps": "by variant of the clips"},
    ),
    "rates": Figure(
        draw="facebias.presentation.figures.rates:draw",
        reads={"metrics": "metrics"},
        path="rates/{metric}",
        of={"metric": "rates"},
        declared=True,
        category=RATES,
        labels={"metric": "{metric}"},
    ),
    "rates_by_group": Figure(
        draw="facebias.presentation.figures.rates_by_group:draw",
        reads={"metrics_by_group": "metrics_by_group"},
        path="rates_by_group/{attribute}/{metric}",
        of={"attribute": "attributes", "metric": "group_rates"},
        declared=True,
        category=RATES,
        labels={"metric": "{metric}, by {attribute}"},
    ),
    "confusion": Figure(
        draw="facebias.presentation.figures.confusion:draw",
        reads={"confusion": "confusion"},
        path="confusion/{train_split}_{test_split}",
        of={"train_split": "train_splits", "test_split": "test_splits"},
        declared=True,
        category=CONFUSION,
        labels={"trained on": "{train_split}", "tested on": "{test_split}"},
    ),
    "heatmaps": Figure(
        draw="facebias.presentation.figures.heatmaps:draw",
        reads={
            "explanations": "explanations_of_model",
            "relevance": "heatmaps_of_model",
            "located": "relevance_of_model",
            "manifest": "manifest",
            "randomisation": "sanity",
        },
        path="heatmaps/{method}/{architecture}/{train_split}",
        of={"method": "methods", "architecture": "explained", "train_split": "train_splits"},
        select=("attribute", "per_group"),
        category=HEATMAPS,
        labels={
            "architecture": "{architecture}",
            "trained on": "{train_split}",
            "method": "{method}",
        },
    ),
    "conserved": Figure(
        draw="facebias.presentation.figures.conserved:draw",
        reads={"explanations": "explanations"},
        path="conserved",
        needs=("explained",),
        category=HEATMAPS,
        labels={"figure": "how much relevance arrives"},
    ),
    "randomisation": Figure(
        draw="facebias.presentation.figures.randomisation:draw",
        reads={"randomisation": "randomisation"},
        path="randomisation",
        needs=("is_randomised",),
        category=HEATMAPS,
        labels={"figure": "heatmaps of re-initialised models"},
    ),
    "relevance_regions": Figure(
        draw="facebias.presentation.figures.relevance_regions:draw",
        reads={"relevance": "relevance_means"},
        path="relevance_regions/{method}/{attribute}",
        of={"method": "methods", "attribute": "attributes"},
        needs=("explained",),
        category=HEATMAPS,
        labels={"figure": "regions by {attribute}", "method": "{method}"},
    ),
    "relevance_joint": Figure(
        draw="facebias.presentation.figures.relevance_joint:draw",
        reads={"gaps": "relevance_gaps", "joint": "relevance_joint"},
        path="relevance_joint/{method}/{attribute}",
        of={"method": "methods", "attribute": "attributes"},
        needs=("explained",),
        category=HEATMAPS,
        labels={"figure": "errors and heatmaps by {attribute}", "method": "{method}"},
    ),
    # Maps and strips are made of the first train split of a hold-out; any other is there for the
    # asking.
    "relevance_maps": Figure(
        draw="facebias.presentation.figures.relevance_maps:draw",
        reads={"maps": "maps_of_model", "manifest": "manifest", "randomisation": "sanity"},
        path="relevance_maps/{method}/{architecture}/{train_split}",
        of={"method": "methods", "architecture": "explained", "train_split": "first_train_splits"},
        select=("attribute",),
        category=HEATMAPS,
        labels={
            "figure": "mean heatmaps",
            "architecture": "{architecture}",
            "trained on": "{train_split}",
            "method": "{method}",
        },
    ),
    "relevance_strips": Figure(
        draw="facebias.presentation.figures.relevance_strips:draw",
        reads={ANY: "relevance_of_train_split", "manifest": "manifest"},
        path="relevance_strips/{method}/{train_split}",
        of={"method": "methods", "train_split": "first_train_splits"},
        needs=("explained_over_time",),
        select=("attribute",),
        category=HEATMAPS,
        labels={"figure": "over time", "trained on": "{train_split}", "method": "{method}"},
    ),
    "heatmap_strips": Figure(
        draw="facebias.presentation.figures.heatmap_strips:draw",
        reads={
            "explanations": "explanations_of_model",
            "relevance": "heatmaps_of_model",
            "manifest": "manifest",
            "randomisation": "sanity",
        },
        path="heatmap_strips/{method}/{architecture}/{train_split}",
        of={
            "method": "methods",
            "architecture": "explained_over_time",
            "train_split": "first_train_splits",
        },
        select=("attribute",),
        category=HEATMAPS,
        labels={
            "figure": "clips over time",
            "architecture": "{architecture}",
            "trained on": "{train_split}",
            "method": "{method}",
        },
    ),
    "curves": Figure(
        draw="facebias.presentation.figures.curves:draw",
        reads={ANY: "histories"},
        path="curves",
        category=TRAINING,
        labels={"figure": "loss and accuracy by epoch"},
    ),
    "subjects": Figure(
        draw="facebias.presentation.figures.subjects:draw",
        reads={"splits": "splits", "manifest": "manifest"},
        path="subjects/{attribute}",
        of={"attribute": "recorded"},
        category=DATA,
        labels={"figure": "subjects by {attribute}"},
    ),
    "exclusions": Figure(
        draw="facebias.presentation.figures.exclusions:draw",
        reads={"exclusions": "exclusions"},
        path="exclusions{variant}",
        of={"variant": "clips"},
        category=DATA,
        labels={"figure": "samples left out of clips{variant}"},
    ),
    "occurrences": Figure(
        draw="facebias.presentation.figures.occurrences:draw",
        reads={"units": "units"},
        path="occurrences",
        needs=("is_of_units",),
        category=DATA,
        labels={"figure": "occurrences of units"},
    ),
    "confounds": Figure(
        draw="facebias.presentation.figures.confounds:draw",
        reads={"confounds": "confounds"},
        path="confounds/{attribute}",
        of={"attribute": "attributes"},
        category=DATA,
        labels={"figure": "what else differs by {attribute}"},
    ),
    "published_comparison": Figure(
        draw="facebias.presentation.figures.published_comparison:draw",
        reads={"comparison": "published_comparison"},
        path="published/{definition}",
        of={"definition": "compared_values"},
        needs=("compared_values",),
        category=BESIDE,
        labels={"figure": "ours beside published, {definition}"},
    ),
    "published": Figure(
        draw="facebias.presentation.figures.published:draw",
        reads={"intervals": "published_intervals"},
    ),
    "boxes": Figure(draw="facebias.presentation.figures.boxes:draw", reads={"metrics": "metrics"}),
    "heatmaps_unit": Figure(
        draw="facebias.presentation.figures.heatmaps_unit:draw",
        reads={
            "explanations": "explanations_of_model",
            "relevance": "heatmaps_of_model",
            "located": "relevance_of_model",
            "maps": "maps_of_model",
            "manifest": "manifest",
            "randomisation": "sanity",
        },
    ),
}
