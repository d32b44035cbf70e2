"""The targets of a study: its models, tests and figures, and which of them belong together."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Mapping
from typing import Any

from facebias.data import splits
from facebias.data.splits import holdouts
from facebias.presentation.figures.catalogue import FIGURES, Figure
from facebias.published import numbered
from facebias.study import Preprocessing, Study, crossed
from facebias.workflow.prepared import Prepared


@dataclasses.dataclass(frozen=True, eq=False)
class Targets:
    """The targets of a study, as values of the wildcards of rules."""

    prepared: Prepared

    @property
    def study(self) -> Study:
        """The whole configuration."""
        return self.prepared.study

    # ---- Models ----

    @functools.cached_property
    def architectures(self) -> list[str]:
        """All architectures."""
        return list(self.study.architectures)

    @functools.cached_property
    def declared(self) -> list[str]:
        """The architectures that the declared questions are about.

        A network that is trained on several variants of the clips counts with the first of them:
        the others show how much depends on the preprocessing, and declare no further question.
        """
        seen = list(self.variants.items())
        return [
            name
            for place, (name, one) in enumerate(seen)
            if not any(
                one["network"] == other["network"] and one["clips"] != other["clips"]
                for _, other in seen[:place]
            )
        ]

    @functools.cached_property
    def variants(self) -> dict[str, dict[str, Any]]:
        """The network of each architecture and the preprocessing of its clips."""
        return {
            name: {
                "network": self.network_of(name),
                "clips": architecture.clips,
                "margin": self.clips[architecture.ending].margin,
                "key_frames": self.clips[architecture.ending].frames,
            }
            for name, architecture in self.study.architectures.items()
        }

    @functools.cached_property
    def train_splits(self) -> list[str]:
        """All train splits, those of matched size included."""
        return list(self.study.splits.train)

    @functools.cached_property
    def matched(self) -> dict[str, str]:
        """The size-matched counterpart of each train split; empty unless sizes are matched.

        The smallest train split is its own counterpart.
        """
        return splits.matched(self.prepared.declared, self.train_splits)

    @functools.cached_property
    def folds(self) -> list[int]:
        """Numbers of the folds."""
        return list(range(self.study.splits.n_folds))

    @functools.cached_property
    def seeds(self) -> list[int]:
        """Seeds of the models."""
        return list(self.study.seeds)

    @functools.cached_property
    def models(self) -> dict[str, list[Any]]:
        """Values of the wildcards of every model."""
        return {
            "architecture": self.architectures,
            "train_split": self.train_splits,
            "fold": self.folds,
            "seed": self.seeds,
        }

    def network_of(self, architecture: str) -> str:
        """Return the name of the network that an architecture is."""
        return self.study.architectures[architecture].called(architecture)

    # ---- Clips ----

    @functools.cached_property
    def endings(self) -> dict[str, str]:
        """Suffix of the file names of each architecture's clips; empty without a variant."""
        return {name: one.ending for name, one in self.study.architectures.items()}

    @functools.cached_property
    def clips(self) -> dict[str, Preprocessing]:
        """Preprocessing of every variant of the clips that is used, by the suffix of its files."""
        return {
            one.ending: self.study.clips.of(one.clips) for one in self.study.architectures.values()
        }

    @property
    def first_clips(self) -> str:
        """Suffix of the clips by which people are counted and image quality is measured."""
        return self.endings[self.architectures[0]]

    @property
    def shards(self) -> list[str]:
        """Numbers of the shards of the clips."""
        return [f"{shard:03d}" for shard in range(self.study.clips.shards)]

    @property
    def is_drawn(self) -> bool:
        """Whether the people are drawn."""
        return self.study.data.adapter == "drawn"

    @property
    def drawn_shards(self) -> list[str]:
        """Numbers of the shards of the drawn people."""
        drawn = self.study.data.drawn if self.is_drawn else None
        return [f"{shard:02d}" for shard in range(drawn.shards if drawn else 0)]

    # ---- Tests and groups ----

    @functools.cached_property
    def test_splits(self) -> list[str]:
        """All test splits."""
        return list(self.study.splits.test)

    @functools.cached_property
    def attributes(self) -> list[str]:
        """The attributes by whose groups models are compared."""
        return list(self.study.evaluation.attributes)

    @functools.cached_property
    def recorded(self) -> list[str]:
        """The same without combinations such as `gender x skin`: recorded attributes alone."""
        return list(dict.fromkeys(part for name in self.attributes for part in crossed(name)))

    @functools.cached_property
    def together(self) -> list[list[str]]:
        """The train splits by hold-out: those of one are tested on the same subjects."""
        return holdouts.together(self.study.splits)

    @functools.cached_property
    def first_train_splits(self) -> list[str]:
        """The first train split of each hold-out."""
        return [names[0] for names in self.together]

    @functools.cached_property
    def compared_by(self) -> dict[str, list[str]]:
        """The attributes by whose groups the models of each train split are compared."""
        return {name: holdouts.attributes(self.study, name) for name in self.train_splits}

    @functools.cached_property
    def _tested_on(self) -> dict[str, list[str]]:
        return {name: holdouts.tests(self.study.splits, name) for name in self.train_splits}

    def paired(self, attribute: str) -> list[list[str]]:
        """List the hold-outs with several train splits that are compared by an attribute.

        Between two of those, another choice of training subjects has an effect.
        """
        return [
            names
            for names in self.together
            if len(names) > 1 and attribute in self.compared_by[names[0]]
        ]

    @functools.cached_property
    def effects(self) -> list[str]:
        """The attributes by which the effects of other training subjects are compared."""
        return [name for name in self.attributes if self.paired(name)]

    def own(self, *values: Any) -> list[Any]:
        """Combine values of wildcards; a train split only with the tests of its own hold-out.

        A combinator for `expand`: each of ``values`` lists pairs of a wildcard and a value.
        """
        return [one for one in itertools.product(*values) if self._belong(**dict(one))]

    def _belong(
        self,
        train_split: str | None = None,
        test_split: Any = None,
        attribute: Any = None,
        **_: Any,
    ) -> bool:
        if train_split is None:
            return True
        tested = test_split in (None, *self._tested_on[train_split])
        return tested and attribute in (None, *self.compared_by[train_split])

    # ---- Metrics ----

    @property
    def is_of_units(self) -> bool:
        """Whether samples have Action Units instead of one class."""
        return self.study.labels.kind == "units"

    @property
    def has_thresholds(self) -> bool:
        """Whether the thresholds of units are chosen on the validation subjects."""
        return self.study.labels.threshold == "validation"

    @property
    def rates(self) -> list[str]:
        """The metrics of single labels in figures and printed tables."""
        if self.is_of_units:
            return ["f1", "f1_skew_normalised", "auc"]
        return ["accuracy", "tpr", "fpr"]

    @property
    def group_rates(self) -> list[str]:
        """The same by group, with the selection rate, and of units the rates of classes."""
        return list(dict.fromkeys([*self.rates, "tpr", "fpr", "selection_rate"]))

    @property
    def printed_metrics(self) -> list[str]:
        """The metrics of the tables for print."""
        return [*self.rates, *(f"{name}_macro" for name in self.rates if self.is_of_units)]

    @property
    def varied(self) -> list[str]:
        """The attributes, if some network is trained on several variants of the clips."""
        return self.attributes if self.declared != self.architectures else []

    @property
    def repeated(self) -> list[str]:
        """The attributes, if there are several folds or seeds to compare."""
        return self.attributes if len(self.seeds) * len(self.folds) > 1 else []

    # ---- Heatmaps ----

    @functools.cached_property
    def methods(self) -> list[str]:
        """The methods of explanation."""
        return list(self.study.explanation.methods)

    @functools.cached_property
    def explained(self) -> list[str]:
        """The architectures that are explained."""
        return list(self.study.explanation.architectures)

    @functools.cached_property
    def explained_over_time(self) -> list[str]:
        """Those of clips with several frames."""
        return [name for name in self.explained if self.clips[self.endings[name]].frames > 1]

    @property
    def is_randomised(self) -> bool:
        """Whether heatmaps are compared with those of re-initialised networks."""
        return bool(self.explained) and self.study.explanation.randomisation > 0

    @functools.cached_property
    def explained_models(self) -> dict[str, list[Any]]:
        """Values of the wildcards of every explained model.

        One seed stands for all: heatmaps of several seeds are no more certain, only more.
        """
        return {
            "method": self.methods,
            **self.models,
            "architecture": self.explained,
            "seed": self.seeds[:1],
        }

    # ---- A published study ----

    @property
    def compared_values(self) -> list[str]:
        """The definitions in which the study is compared with a published one."""
        if self.study.published is None:
            return []
        if self.is_of_units:
            return ["value", "difference"]
        return ["published", "per_class_mean", "worst_class", "signed"]

    @functools.cached_property
    def numbered_figures(self) -> dict[int, numbered.Item]:
        """The figures of the paper that this study makes, by their numbers."""
        return numbered.of(self.study, numbered.FIGURE)

    @functools.cached_property
    def numbered_tables(self) -> dict[int, numbered.Item]:
        """The tables of the paper that this study makes, by their numbers."""
        return numbered.of(self.study, numbered.TABLE)

    # ---- Figures ----

    @functools.cached_property
    def figures(self) -> dict[str, Figure]:
        """The kinds of figures that the study can make, numbered ones of a paper aside."""
        return {
            kind: figure
            for kind, figure in FIGURES.items()
            if figure.path is not None and all(getattr(self, name) for name in figure.needs)
        }

    def of(self, figure: Figure) -> list[Mapping[str, str]]:
        """List the values of the wildcards of all figures of one kind."""
        lists = [
            [(wildcard, value) for value in getattr(self, name)]
            for wildcard, name in figure.of.items()
        ]
        return [dict(one) for one in self.own(*lists)]
