"""A whole study, and how its figures look."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from facebias.study.clips import Clips
from facebias.study.data import Data, Labels
from facebias.study.design import Evaluation, Splits
from facebias.study.models import Architecture, Explanation


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figures:
    """Looks of the figures."""

    dpi: int
    colours: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """A whole study."""

    study: str
    title: str
    results: str
    data: Data
    labels: Labels
    clips: Clips
    seeds: tuple[int, ...]
    architectures: Mapping[str, Architecture]
    splits: Splits
    evaluation: Evaluation
    explanation: Explanation
    figures: Figures
    published: str | None
