"""A whole study, how its figures look, and the file that says it all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from facebias.study.clips import Clips
from facebias.study.data import Data, Labels
from facebias.study.design import Evaluation, Splits
from facebias.study.models import Architecture, Explanation, Training
from facebias.study.values import Colour, Count, Name, Once, Text, key, section


@section
class Figures:
    """Looks of the figures."""

    dpi: int = key(200, ge=50, le=1200, description="Resolution of the PNG files.")
    colours: Annotated[tuple[Colour, ...], Field(min_length=3)] = key(
        ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
        description="Colours in the order of use (Okabe and Ito's, which colour-blind readers can "
        "tell apart).",
    )


@section
class Study:
    """A whole study."""

    study: Name = key(
        description="Name of the study; its outputs go to `{results}/{study}`. Letters, digits, "
        "`-` and `_`."
    )
    title: str = key("", description="One line for the report's first page.")
    results: Text = key("results", description="Folder that holds the outputs of all studies.")
    data: Data = key(description="Where the samples come from and when one is left out.")
    labels: Labels = key(description="What is predicted.")
    clips: Clips = key(
        default_factory=Clips, description="How a video or picture becomes a clip of face crops."
    )
    seeds: Annotated[tuple[Count, ...], *Once, Field(min_length=1)] = key(
        (1,), description="Seeds of the models; every model is trained once per seed."
    )
    architectures: Annotated[Mapping[Name, Architecture], Field(min_length=1)] = key(
        description="The networks, by name, each with its settings."
    )
    splits: Splits = key(
        description="Who trains and who tests. Give `holdout`, `holdouts` or `folds`."
    )
    evaluation: Evaluation = key(
        default_factory=Evaluation,
        description="What is measured, between which groups, and how its uncertainty is found.",
    )
    explanation: Explanation = key(
        default_factory=Explanation, description="Which models are explained and how."
    )
    figures: Figures = key(default_factory=Figures, description="Looks of the figures.")
    published: str | None = key(
        None,
        description="A published study, a folder of `replications`, beside whose numbers those of "
        "this one are placed where both have them. Its tables and figures are made of this one's "
        "results as well, under their numbers.",
    )


@section
class File(Study):
    """A study as its file says it, with what its architectures have in common."""

    training: Training = key(
        default_factory=Training,
        description="How models are trained; an architecture may override any of it.",
    )
