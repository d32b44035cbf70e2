"""What a network is, which weights it begins with, and how it is fitted and explained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from facebias.study.registries import Method, Schedule, WeightsFormat
from facebias.study.values import (
    Count,
    Number,
    Once,
    Positive,
    Sha256,
    Share,
    Text,
    Texts,
    key,
    section,
    slice_of,
)

ShareBelowOne = Annotated[float, Field(ge=0, lt=1)]


@section
class Augmentation:
    """Random changes of a training clip; each applied to a whole clip with its probability."""

    flip: Share = key(0.5, description="Probability of a horizontal flip.")
    rotate: Share = key(0.5, description="Probability of a rotation.")
    degrees: float = key(15.0, ge=0, le=180, description="Largest rotation, degrees either way.")
    brighten: Share = key(0.5, description="Probability of a change of brightness.")
    brightness: ShareBelowOne = key(
        0.3, description="Largest change of brightness, as a share either way."
    )

    @property
    def changes(self) -> bool:
        """Whether any clip is ever changed."""
        turned, lit = self.rotate * self.degrees, self.brighten * self.brightness
        return any((self.flip, turned, lit))


@section
class Training:
    """How a model is fitted. ``micro_batch``: clips computed at once; None: all of a step."""

    epochs: Number = key(50, description="Passes over the training clips.")
    batch_size: Number = key(12, description="Clips per step.")
    micro_batch: Number | None = key(
        None,
        description="Clips that are computed at once, so that a step of `batch_size` fits the "
        'memory of a GPU; null is all of them. See "Memory of a GPU" below.',
    )
    learning_rate: Positive = key(
        0.005, description="Learning rate of SGD; the peak for `one_cycle`."
    )
    momentum: ShareBelowOne = key(0.9, description="Momentum of SGD.")
    weight_decay: float = key(0.0, ge=0, description="Weight decay of SGD.")
    nesterov: bool = key(False, description="Nesterov momentum.")
    schedule: Schedule = key("constant", description="Learning rate over the steps.")
    label_smoothing: ShareBelowOne = key(0.0, description="Label smoothing of the softmax loss.")
    loss_average: Literal["entries", "units"] = key(
        "entries",
        description="Mean of the loss of units in a batch. `entries`: over all annotated entries. "
        "`units`: over those of each unit, then over units, so that rarely annotated units weigh "
        "as much.",
    )
    gradient_clip: Positive | None = key(
        None, description="Largest norm of the gradient; null does not clip."
    )
    augmentation: Augmentation = key(
        default_factory=Augmentation,
        description="Random changes of training clips, all frames of a clip alike.",
    )
    select: Literal["macro_recall", "macro_f1", "accuracy", "loss"] = key(
        "macro_recall",
        description="What the best epoch is picked by, on the validation subjects. `macro_recall` "
        "and `macro_f1`: means over the labels that they show, so that rare ones weigh as much. "
        "With `accuracy`, a model that gives all samples the commonest label can be the best.",
    )
    device: Literal[
        "auto", "cpu", "cuda",
        "cuda:0", "cuda:1", "cuda:2", "cuda:3", "cuda:4", "cuda:5", "cuda:6", "cuda:7",
    ] = key(
        "auto",
        description="`cuda` stops at once where there is no usable GPU. Of several GPUs `auto` and "
        "`cuda` take the first that no other job has; with a number (`cuda:1`) jobs share that "
        "one.",
    )  # fmt: skip
    precision: Literal["auto", "fp32", "fp16", "bf16"] = key(
        "auto",
        description="`auto`: what the device has in hardware (fp16 on V100, bf16 from compute "
        "capability 8, fp32 on a CPU). Steps whose gradients overflow in fp16 are skipped and "
        "counted (`skipped_steps` in `history.csv`).",
    )
    deterministic: bool = key(
        True, description="Same bits on every run on one machine; false is faster on a GPU."
    )


@section
class Head:
    """What turns the features of the frames into scores."""

    kind: Literal["lstm", "mean"] = key(
        "lstm",
        description="`lstm`: an LSTM over the frames, its last output to a linear layer. `mean`: "
        "the mean over the frames to a linear layer.",
    )
    hidden: Number = key(256, description="Units of the LSTM.")
    layers: Number = key(1, description="Layers of the LSTM.")
    dropout: ShareBelowOne = key(0.0, description="Dropout before the linear layer.")


@section
class Weights:
    """A file of pretrained weights. ``channel_order`` ``auto``: that of the format."""

    source: Text = key(
        description="`torchvision` (fetched from there), an address (`https://...`) or the path of "
        "a file."
    )
    format: WeightsFormat = Field(
        "torchvision",
        description="What kind of file it is; decides names, layout and input convention.",
    )
    sha256: Sha256 | None = key(None, description="SHA-256 of the file; another file is refused.")
    channel_order: Literal["auto", "rgb", "bgr"] = key(
        "auto",
        description="Order of the colour channels that the weights expect; `auto`: that of the "
        "format.",
    )


@section
class Backbone:
    """What turns the frames of a clip into features, and which part of it is not trained.

    ``network`` None: the one of the name under which it is configured.
    """

    network: str | None = key(
        None,
        description="Which network, so that one can be trained under several names; null is the "
        "one of this name. Where an architecture has the name of the network, its keys hold for "
        "this one too, below its own.",
    )
    width: float = key(
        1.0,
        gt=0,
        le=4,
        description="Factor on the numbers of channels; 1 is the published network.",
    )
    input_size: int = key(224, ge=16, le=1024, description="Side of the input, pixels.")
    frames: Number | None = key(
        None, description="Frames used of each clip, evenly spaced; null uses all."
    )
    frozen: Literal["none", "backbone", "convolutions"] = key(
        "none",
        description="What is not trained; `convolutions` for `vgg16` and `vggface` alone. With "
        "`weights` and without augmentation its features are computed once for all models.",
    )
    options: Mapping[str, Any] = key(
        default_factory=dict,
        description='Settings of this architecture alone; see "Architectures" below.',
    )

    def called(self, name: str) -> str:
        """Return the name of its network, configured as ``name``."""
        return self.network or name


@section
class Architecture(Backbone):
    """One network with everything that its training depends on.

    ``clips``: the variant of the preprocessing that it sees; None: that of no name.
    """

    clips: str | None = key(
        None,
        description="The variant of `clips.variants` that it sees; null is `clips` without its "
        "variants.",
    )
    weights: Weights | None = key(
        None,
        description="Pretrained weights that training starts from; null trains from scratch. See "
        "docs/weights.md.",
    )
    head: Head = key(
        default_factory=Head, description="What turns the features of the frames into scores."
    )
    training: Training = key(
        default_factory=Training, description="Overrides of `training` for this architecture."
    )

    @property
    def ending(self) -> str:
        """The suffix of the names of its clips and of the tables about them."""
        return "" if self.clips is None else f"_{self.clips}"

    @property
    def backbone(self) -> Backbone:
        """What its features depend on, beside the weights, and nothing else."""
        return slice_of(self, Backbone)

    @property
    def has_fixed_features(self) -> bool:
        """Whether its frozen part gives a clip the same features in every model and epoch.

        Not where every model draws its own weights, nor where clips are changed at random.
        """
        pretrained = self.weights is not None
        return self.frozen != "none" and pretrained and not self.training.augmentation.changes


@section
class Explaining:
    """How one model is explained. ``composite`` None: what suits the architecture."""

    composite: str | None = None
    target: str = key(
        "label",
        description="Explain the score of the true `label` (classes only), of the `predicted` one, "
        "or of the label named here.",
    )
    batch_size: Number = key(
        16, description="Clips explained at once, at most; fewer if they are large."
    )
    per_subject: Number | None = key(
        None,
        description="Test samples of one subject that are explained at most, evenly spaced; "
        "without a number, all.",
    )


@section
class Explanation(Explaining):
    """Which models are explained, by which methods, and what is checked and shown of it."""

    architectures: Texts = key((), description="Architectures to explain.")
    methods: Annotated[
        tuple[Method, ...],
        *Once,
        Field(min_length=1),
    ] = key(
        ("lrp",),
        description="Layer-wise relevance propagation, and second opinions: each method explains "
        "every model. The declared gaps of relevance are of the first.",
    )
    composite: str | Mapping[str, str] | None = key(  # type: ignore[assignment] # `of` chooses
        None,
        description="Rules of `lrp` by layer type, for all architectures or by the name of each; "
        'without one, what suits the architecture; see "Composites" below.',
    )
    randomisation: Count = key(
        0,
        description="Samples of each architecture whose heatmaps are compared with those of a "
        "network re-initialised layer by layer; 0 leaves this check out.",
    )
    per_group: Number = key(
        3,
        description="Samples shown per group in a heatmap figure of classes: the best, the worst "
        "and those evenly between by score. Of units one of each outcome is shown: hit, miss, "
        "false alarm, correct rejection.",
    )
    units: Mapping[str, Annotated[tuple[int, ...], *Once, Field(min_length=1)]] = key(
        default_factory=dict,
        description="Action Units of a label, such as `pain: [4, 6, 7]`, where its relevance is "
        "measured. Labels such as `AU12` and the emotions of the FACS need none.",
    )
    landmarks: str | None = key(
        None,
        description="Parquet table of 68 iBUG landmarks (columns `sample`, `frame`, `landmarks`: x "
        "and y in turn, in pixels of the frame), in `data.root`. Without one, those that the data "
        "set ships are used (CK+, drawn people), and else an average face fitted to the five "
        "points of the face detector.",
    )

    def of(self, architecture: str) -> Explaining:
        """What the heatmaps of one model depend on, and nothing else."""
        composites = self.composite
        own = composites.get(architecture) if isinstance(composites, Mapping) else composites
        return Explaining(
            composite=own,
            target=self.target,
            batch_size=self.batch_size,
            per_subject=self.per_subject,
        )
