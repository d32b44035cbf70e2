"""What is learned from: data sets, and the labels of their samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from facebias.study.registries import Adapter, OnDisk
from facebias.study.values import Count, Name, Number, Once, Share, SomeTexts, Texts, key, section

MinIntensity = Annotated[
    int,
    Field(
        ge=1,
        le=5,
        description="Intensity (1 to 5) from which an Action Unit counts as shown. One that is "
        "shown at an intensity nobody scored is missing if this is above 1.",
    ),
]


@section
class Drawn:
    """The drawn people and how they are filmed."""

    subjects: int = key(36, ge=2, description="Number of people, half of them women.")
    repetitions: Number = key(2, description="Films of each expression by each person.")
    seed: Count = key(1, description="Seed of looks and films.")
    size: int = key(
        160,
        ge=96,
        le=1024,
        multiple_of=2,
        description="Width and height of a film, pixels; even, for H.264.",
    )
    frames: int = key(24, ge=4, description="Frames of a film.")
    fps: Number = key(24, description="Frames per second of a film.")
    shards: Number = key(8, description="Number of jobs that share the drawing.")
    bias: tuple[Mapping[str, Any], ...] = key(
        (), description='The planted biases; see "Planted bias" below.'
    )


@section
class SaseFe:
    """How the user's copy of SASE-FE names its videos, and which of them are taken."""

    pattern: str = key(
        "(?P<subject>[^/]+)/(?P<emotion>[^/_]+)_(?P<genuine>[^/_]+)",
        description="Regular expression of the path of a video below `root`, without its ending, "
        "with the named groups `subject`, `emotion` and `genuine`. Not used with `manifest`, whose "
        "column `genuine` then says the same.",
    )
    codes: Mapping[str, str] = key(
        default_factory=dict,
        description="What the found emotions and the group `genuine` mean, where they are not "
        "spelled out: `{HAP: happiness, T: genuine, D: fake}`.",
    )
    take: Literal["all", "genuine", "fake"] = key(
        "all", description="Which expressions are samples."
    )


@section
class CkPlus:
    """What a sample of CK+ is, which frames carry its labels, and when a unit counts as shown."""

    samples: Literal["sequences", "frames"] = key(
        "sequences", description="A sample is a whole sequence, or each of its frames is one."
    )
    last_frames: Number | None = key(
        None,
        description="Frames at the end of a sequence that carry its labels and are samples; null "
        "takes all. Only for frames.",
    )
    min_intensity: MinIntensity = 1


@section
class ActorStudy:
    """The table of frames of the Actor Study, and when a unit counts as shown."""

    annotations: str = key(
        "annotations.csv",
        description="CSV table with a row per frame (columns `subject`, `path`, `frame` if the "
        "path is a video, and one per Action Unit).",
    )
    min_intensity: MinIntensity = 1


@section
class Ravdess:
    """Which of the recordings of RAVDESS are taken."""

    modality: Literal["video", "audio_video"] = key(
        "video", description="Files without or with sound; they show the same recordings."
    )
    channels: Annotated[tuple[Literal["speech", "song"], ...], *Once, Field(min_length=1)] = key(
        ("speech",), description="Spoken, sung, or both."
    )


@section
class Source:
    """One data set on disk. The section named like the adapter holds what only it has."""

    adapter: OnDisk = key(description="Which kind of data set.")
    root: str | None = key(
        None,
        description="Folder of the data set. Paths below are relative to it. Not for `drawn`.",
    )
    manifest: str | None = key(
        None,
        description="CSV table with a row per sample (columns `subject`, `path`, `label` or "
        "`label_<unit>`, optionally `sample` and attributes). Give this or `layout`.",
    )
    layout: str | None = key(
        None,
        description="Pattern of the files when there is no manifest, such as "
        "`{label}/{subject}.jpg`.",
    )
    subjects: str | None = key(
        None,
        description="CSV table with a row per subject (column `subject`, then the recorded "
        "attributes, optionally `publishable`).",
    )
    publishable: bool = key(
        False,
        description="Whether faces may be shown in figures when the subjects table has no column "
        "`publishable`.",
    )
    sase_fe: SaseFe | None = key(None, description="The videos of SASE-FE; only for that adapter.")
    ckplus: CkPlus | None = key(None, description="The sequences of CK+; only for that adapter.")
    actor_study: ActorStudy | None = key(
        None, description="The frames of the Actor Study; only for that adapter."
    )
    ravdess: Ravdess | None = key(
        None, description="The recordings of RAVDESS; only for that adapter."
    )


@section
class Data(Source):
    """Where the samples come from and when one is left out."""

    adapter: Adapter = key(
        description="`drawn` people made by the project, `pictures` or `videos` of yours, a data "
        "set of docs/datasets.md, or several `combined`."
    )
    attributes: SomeTexts = key(
        ("gender",),
        description="Attributes that the data set records. The tool infers none of them.",
    )
    required: Texts = key(
        (), description="Attributes without which a subject's samples are left out."
    )
    max_excluded: Share = key(
        0.2,
        description="Largest share of samples that may be left out before the study stops with an "
        "error.",
    )
    drawn: Drawn | None = key(None, description="The drawn people; only for the adapter `drawn`.")
    sets: Annotated[Mapping[Name, Source], Field(min_length=2)] | None = key(
        None,
        description="The data sets of a study over several, by name, each with `adapter`, `root` "
        "and the other keys above; only for the adapter `combined`. Subjects and samples are then "
        "called `NAME/...`.",
    )


@section
class Labels:
    """What is predicted: ``classes`` (one of, softmax) or ``units`` (any of, sigmoid).

    Units that occur in fewer than ``min_occurrences`` samples are not part of the study.
    ``threshold``: what score counts as a unit, ``fixed`` or chosen on ``validation`` subjects.
    """

    kind: Literal["classes", "units"] = key(
        "classes",
        description="`classes`: one of the labels per sample (softmax). `units`: any of them, such "
        "as Action Units (sigmoid).",
    )
    names: Annotated[tuple[Name, ...], *Once, Field(min_length=1)] = key(
        description="The labels that are trained."
    )
    fuse: Mapping[str, Annotated[tuple[str, ...], *Once, Field(min_length=2)]] = key(
        default_factory=dict,
        description="Labels put together for evaluation, such as `upset: [anger, disgust, "
        "contempt]`.",
    )
    subsample_fused: bool = key(
        True,
        description="Evaluate a fused label on as many samples as the others have on average, "
        "drawn per subject.",
    )
    seed: Count = key(1, description="Seed of that draw.")
    min_occurrences: Count = key(
        0,
        description="Units present in fewer samples than this are left out of the study; "
        "`data/units.csv` says which. 0 keeps all.",
    )
    threshold: Literal["fixed", "validation"] = key(
        "fixed",
        description="The score from which a unit counts as found. `fixed`: 0.5. `validation`: what "
        "gives each unit the best F1 on the validation subjects of its model.",
    )

    def among(self, columns: Collection[str]) -> Labels:
        """Keep the units that a manifest with these ``columns`` has: those that occur enough."""
        if not self.min_occurrences:
            return self
        kept = tuple(name for name in self.names if f"label_{name}" in columns)
        return dataclasses.replace(self, names=kept)

    def evaluated_as(self, name: str) -> str:
        """Return the label that a trained one counts as when predictions are evaluated."""
        return next((fused for fused, members in self.fuse.items() if name in members), name)

    @property
    def evaluated(self) -> tuple[str, ...]:
        """The labels after fusing: unfused names in their order, then the fused ones."""
        fused = {name for members in self.fuse.values() for name in members}
        return tuple(name for name in self.names if name not in fused) + tuple(self.fuse)
