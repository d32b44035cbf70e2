"""Files of pretrained weights: what is in each and what it expects of its input, as a table.

Reading the table imports no torch: a configuration is checked against it. A further format is one
entry here and, if its files are of a new kind, one function in ``files``.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from facebias.study import StudyError, Weights


@dataclasses.dataclass(frozen=True, kw_only=True)
class Format:
    """Weights of one architecture as one kind of file has them.

    Attributes
    ----------
    reader
        What reads the file, a key of ``files.READERS``.
    convention
        What the weights expect of pixels, a key of ``inputs.CONVENTIONS``.
    dropped
        Layers of the file that the network does not have: the classifier of other classes.
    layers
        Names of layers in the file and in the network; without any, they are the same.
    grids
        Fully connected layers whose inputs the file has as (height, width, channels), by their
        name in the network; there they are (channels, height, width).
    channel_order
        Order of the channels, where it is not that of the convention.
    options
        Options that the architecture must have.
    url
        Where ``source: torchvision`` fetches the file.
    """

    reader: str
    convention: str
    dropped: tuple[str, ...]
    layers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    grids: Mapping[str, tuple[int, int, int]] = dataclasses.field(default_factory=dict)
    channel_order: str | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    url: str | None = None


# The layers of VGG16, as VGGFace numbers them and as torchvision does.
CONVOLUTIONS = dict(
    zip(
        ("1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "4_1", "4_2", "4_3", "5_1", "5_2", "5_3"),
        (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
        strict=True,
    )
)
DENSE = {"fc6": "classifier.0", "fc7": "classifier.3"}
VGGFACE = {**{f"conv{name}": f"features.{n}" for name, n in CONVOLUTIONS.items()}, **DENSE}
VGGFACE_T7 = {**{f"conv_{name}": f"features.{n}" for name, n in CONVOLUTIONS.items()}, **DENSE}

# By the name of the format, then by architecture.
FORMATS: dict[str, dict[str, Format]] = {
    "torchvision": {
        "vgg16": Format(
            reader="state_dict",
            convention="imagenet",
            dropped=("classifier.6",),
            url="https://download.pytorch.org/models/vgg16-397923af.pth",
        ),
        "resnet50": Format(
            reader="state_dict",
            convention="imagenet",
            dropped=("fc",),
            options={"variant": "torchvision"},
            url="https://download.pytorch.org/models/resnet50-0676ba61.pth",
        ),
        "resnet3d": Format(
            reader="state_dict",
            convention="kinetics",
            dropped=("fc",),
            url="https://download.pytorch.org/models/r2plus1d_18-91a641e6.pth",
        ),
    },
    # Parkhi et al. (2015): as Keras (rcmalli), as albanie's `vgg_face_dag`, and as a state dict
    # with the layers of the original Torch file.
    "vggface_keras": {
        "vggface": Format(
            reader="keras",
            convention="vggface",
            dropped=("fc8",),
            layers=VGGFACE,
            grids={"classifier.0": (7, 7, 512)},
            channel_order="bgr",
        ),
    },
    "vggface_dag": {
        "vggface": Format(
            reader="state_dict", convention="vggface", dropped=("fc8",), layers=VGGFACE
        ),
    },
    "vggface_t7": {
        "vggface": Format(
            reader="state_dict",
            convention="vggface",
            dropped=("fc8",),
            layers=VGGFACE_T7,
            channel_order="bgr",
        ),
    },
    # Cao et al. (2018), as cydonia999 converted them.
    "vggface2": {
        "senet50": Format(reader="arrays", convention="vggface2", dropped=("fc",)),
        "resnet50": Format(
            reader="arrays", convention="vggface2", dropped=("fc",), options={"variant": "caffe"}
        ),
    },
}
PUBLISHED = "torchvision"  # as a source: torchvision's own address


def find(weights: Weights, architecture: str) -> Format:
    """Return the entry of the table for an architecture's weights, which must exist."""
    return FORMATS[weights.format][architecture]


def address(weights: Weights, architecture: str) -> str | None:
    """Return the address that a file of weights is fetched from; None if it lies on a disk here."""
    if weights.source == PUBLISHED:
        return find(weights, architecture).url
    return weights.source if "://" in weights.source else None


def digest(weights: Weights, architecture: str) -> str | None:
    """Return the SHA-256 that a file of weights must have, or its first digits; None: any.

    torchvision writes the first eight into the names of its files.
    """
    if weights.sha256 is None and weights.source == PUBLISHED:
        return re.search(r"-([0-9a-f]{8})\.pth$", find(weights, architecture).url)[1]
    return weights.sha256


def check_digest(file: object, found: str, expected: str | None) -> None:
    """Hold the SHA-256 of a file to the one expected, or to its first digits.

    Raises
    ------
    StudyError
        If it is another.
    """
    if expected is not None and not found.startswith(expected):
        raise StudyError(
            f"{file}: SHA-256 {found}, expected {expected}; it is another file or was damaged on "
            "its way: fetch it again, or correct architectures.NAME.weights.sha256"
        )
