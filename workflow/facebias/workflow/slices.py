"""What each job of a study depends on: the slice of the configuration that its command is given.

Snakemake runs a job again where its slice differs from that of the last run. So a slice holds
nothing that the job does not use, and what jobs share is the same text for all of them.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

from facebias.data import splits
from facebias.stages import clips, data, evaluation, models
from facebias.study import Architecture, Labels, settings
from facebias.workflow.targets import Targets

Wildcards = Any


def unchanging(text: str) -> Callable[[Wildcards], str]:
    """Return a function of the wildcards that returns ``text`` for every job.

    As plain text, Snakemake would take a `{label}` inside for a wildcard.
    """

    def same(wildcards: Wildcards) -> str:
        return text

    return same


def constant(asked: object) -> Callable[[Wildcards], str]:
    """Return settings that are the same for every job of a rule, as a function of its wildcards."""
    return unchanging(settings(asked))


class Slices:
    """The slices of a study that differ from job to job, as functions of the wildcards."""

    def __init__(self, targets: Targets):
        self.targets, self.study = targets, targets.study

    @functools.cached_property
    def unfused(self) -> Labels:
        """The labels before any is fused.

        Fusing and thresholds are used when scores are measured: nothing before depends on how.
        """
        return dataclasses.replace(
            self.study.labels, fuse={}, subsample_fused=False, seed=0, threshold="fixed"
        )

    @functools.cached_property
    def networks(self) -> dict[str, Architecture]:
        """The architectures, of which no job but those that make them knows weights and clips.

        These are inputs of jobs, whatever they are called.
        """
        return {
            name: dataclasses.replace(architecture, weights=None, clips=None)
            for name, architecture in self.study.architectures.items()
        }

    @functools.cached_property
    def _of_networks(self) -> dict[str, str]:
        # Written once, not once per model.
        return {
            name: settings(models.Network(architecture=architecture, labels=self.unfused))
            for name, architecture in self.networks.items()
        }

    def network(self, wildcards: Wildcards) -> str:
        """Return what training and prediction of one architecture depend on."""
        return self._of_networks[wildcards.architecture]

    def split(self, wildcards: Wildcards) -> str:
        """Return what one train split and seed depend on: no test split, no other train split.

        But for those that it is drawn from, or whose size it takes.
        """
        drawn = splits.alone(self.study.splits, wildcards.train_split)
        return settings(data.Split.Settings(splits=drawn, seeds=(int(wildcards.seed),)))

    def test(self, wildcards: Wildcards) -> str:
        """Return what the metrics of one test split depend on."""
        test = self.study.splits.test[wildcards.test_split]
        return settings(evaluation.Metrics.Settings(**self.measured, test=test))

    def groups(self, wildcards: Wildcards) -> str:
        """Return what the metrics by group of the models of one train split depend on."""
        attributes = tuple(self.targets.compared_by[wildcards.train_split])
        return settings(evaluation.MetricsByGroup.Settings(**self.measured, attributes=attributes))

    def effects(self, wildcards: Wildcards) -> str:
        """Return what the effects of training by one attribute depend on."""
        together = tuple(map(tuple, self.targets.paired(wildcards.attribute)))
        return settings(evaluation.Effects.Settings(**self.measured, together=together))

    @property
    def measured(self) -> dict[str, Any]:
        """The labels, and how to resample: what all that is measured of predictions depends on."""
        return {"labels": self.study.labels, "evaluation": self.study.evaluation.resampling}

    def explanation(self, wildcards: Wildcards) -> str:
        """Return what the heatmaps of one model depend on."""
        return settings(
            models.Explain.Settings(
                architecture=self.networks[wildcards.architecture],
                labels=self.unfused,
                explaining=self.study.explanation.of(wildcards.architecture),
            )
        )

    def clips(self, wildcards: Wildcards) -> str:
        """Return what the clips of one variant depend on."""
        return settings(clips.Extract.Settings(clips=self.targets.clips[wildcards.variant]))

    def locating(self, wildcards: Wildcards) -> str:
        """Return what is the same for the variants that share their faces."""
        return self._of_faces[wildcards.variant]

    @functools.cached_property
    def _of_faces(self) -> dict[str, str]:
        return {
            variant: settings(clips.Locate.Settings(locating=one.locating))
            for variant, one in self.targets.clips.items()
        }

    @functools.cached_property
    def faces_of(self) -> dict[str, str]:
        """Variant of the clips to the first that looks for the same faces, of several that do.

        Those are looked for once.
        """
        shared: dict[str, str] = {}
        for variant, located in self._of_faces.items():
            alike = [one for one, other in self._of_faces.items() if other == located]
            if len(alike) > 1:
                shared[variant] = alike[0]
        return shared

    def conversion(self, wildcards: Wildcards) -> str:
        """Return what the converted weights of one architecture depend on."""
        return self._converted(wildcards.architecture)

    def features(self, wildcards: Wildcards) -> str:
        """Return what the features of a frozen network depend on, beside weights and clips."""
        return self._extracted(wildcards.architecture)

    def _converted(self, name: str) -> str:
        architecture = self.study.architectures[name]
        assert architecture.weights is not None, name
        backbone = dataclasses.replace(architecture.backbone, frames=None, frozen="none")
        backbone = dataclasses.replace(backbone, network=self.targets.network_of(name))
        return settings(models.Convert.Settings(backbone=backbone, weights=architecture.weights))

    def _extracted(self, name: str) -> str:
        architecture = self.study.architectures[name]
        backbone = dataclasses.replace(architecture.backbone, network=self.targets.network_of(name))
        device = architecture.training.device
        return settings(models.Features.Settings(backbone=backbone, device=device))

    @functools.cached_property
    def weights_of(self) -> Mapping[str, str]:
        """Pretrained architecture to the first with the same converted weights, whose it takes."""
        return self._first_alike(self._converted)

    @functools.cached_property
    def features_of(self) -> Mapping[str, str]:
        """Pretrained architecture to the first with the same features, whose it takes."""
        return self._first_alike(self._converted, self._extracted, self.targets.endings.__getitem__)

    def _first_alike(self, *facts: Callable[[str], str]) -> dict[str, str]:
        firsts: dict[tuple[str, ...], str] = {}
        return {
            name: firsts.setdefault(tuple(fact(name) for fact in facts), name)
            for name, architecture in self.study.architectures.items()
            if architecture.weights is not None
        }
