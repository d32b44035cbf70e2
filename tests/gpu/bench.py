"""What is tried on a GPU: the networks of study A, on a CPU small ones, and clips of noise."""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "workflow")]
sys.path.append(str(HERE / "packages"))  # for what is not installed

if missing := [name for name in ("zennit", "pydantic") if importlib.util.find_spec(name) is None]:
    sys.exit(
        f"not installed: {', '.join(missing)}; check_gpu.py says at its beginning how to bring "
        "them along"
    )

from facebias import study
from facebias.data.cohort import Reader
from facebias.models.architectures import network as networks
from facebias.models.architectures.network import Network
from facebias.models.training import loop
from facebias.models.training.interruption import Interrupted, Interruption
from facebias.models.training.precision import Precision

CLASSES, CLIPS, BATCH = 6, 12, 12
CROP, SMALL = 256, 56  # side of the clips as cut: no network takes that side, all resample


@dataclasses.dataclass(frozen=True)
class Shape:
    """A network of study A (config/domnich2021.yaml): side of its input, frames, its head."""

    side: int
    frames: int
    head: str


NETWORKS = {
    "vgg16": Shape(224, 20, "lstm"),
    "vggface": Shape(224, 20, "lstm"),
    "resnet50": Shape(224, 20, "lstm"),
    "senet50": Shape(224, 20, "lstm"),
    "cnn3d": Shape(224, 20, "mean"),
    "resnet3d": Shape(112, 10, "mean"),
}


@dataclasses.dataclass(frozen=True)
class Bench:
    """Where networks are tried, in which number format, and how large."""

    place: torch.device
    precise: Precision
    small: bool

    def shape(self, name: str) -> Shape:
        """Return the shape of a network here."""
        return Shape(48, 3, NETWORKS[name].head) if self.small else NETWORKS[name]

    def architecture(self, name: str) -> study.Architecture:
        """Return the settings of a network: study A's, but for two that change no time."""
        shape = self.shape(name)
        training = study.Training(
            epochs=1,
            batch_size=2 if self.small else BATCH,
            learning_rate=1e-3,
            momentum=0.9,
            weight_decay=0.0,
            nesterov=False,
            schedule="constant",
            label_smoothing=0.0,
            gradient_clip=1.0,
            augmentation=study.Augmentation(
                flip=0.5, rotate=0.5, degrees=15.0, brighten=0.5, brightness=0.3
            ),
            select="loss",
            device="auto",
            precision="auto",
            deterministic=True,
        )
        return study.Architecture(
            width=0.125 if self.small else 1.0,
            input_size=shape.side,
            frames=None,
            frozen="none",
            options={},
            head=study.Head(kind=shape.head, hidden=256, layers=1, dropout=0.5),
            training=training,
        )

    def build(self, name: str, *, seed: int = 1) -> Network:
        """Make a network where it is tried."""
        torch.manual_seed(seed)
        with self.place:
            made = networks.build(name, self.architecture(name), CLASSES, self.shape(name).frames)
        return made.to(self.place)

    def examples(self, name: str, steps: int) -> loop.Examples:
        """Return clips for so many steps."""
        shape = self.shape(name)
        held = Held(clips(4 if self.small else CLIPS, shape.frames, SMALL if self.small else CROP))
        n = steps * self.architecture(name).training.batch_size
        samples = [str(place % len(held.values)) for place in range(n)]
        return loop.Examples(Reader(held, samples, frames=None), np.arange(n) % CLASSES)


class Held:
    """Clips in memory, found by their places."""

    def __init__(self, values: np.ndarray):
        self.values = values
        self.samples = [str(place) for place in range(len(values))]

    def read(self, samples: Sequence[str], frames: int | None = None) -> np.ndarray:
        """Return the clips uint8 (n, T, H, W, 3)."""
        return self.values[[int(sample) for sample in samples]]


@functools.cache
def clips(n: int, frames: int, side: int) -> np.ndarray:
    """Draw clips of noise, uint8 (n, T, H, W, 3)."""
    return np.random.default_rng(0).integers(0, 256, (n, frames, side, side, 3), dtype=np.uint8)


class Nowhere:
    """A checkpoint that keeps nothing."""

    def load(self) -> None:
        """Find nothing."""

    def save(self, state: dict[str, Any]) -> None:
        """Forget ``state``."""


class After(Interruption):
    """A signal that comes after so many steps."""

    def __init__(self, steps: int):
        super().__init__()
        self.steps = steps

    def before(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield the first items."""
        for done, item in enumerate(items):
            if done == self.steps:
                raise Interrupted("SIGTERM")
            yield item


def train(
    network: Network,
    examples: loop.Examples,
    settings: study.Architecture,
    precise: Precision,
    *,
    checkpoint: Any = None,
    interruption: Interruption | None = None,
) -> dict[str, torch.Tensor]:
    """Train a network where it is, for an epoch, and return its weights."""
    nobody = loop.Examples(Reader(None, [], frames=None), examples.targets[:0])
    best, history = loop.fit(
        network,
        examples,
        nobody,
        training=settings.training,
        kind="classes",
        precision=precise,
        key=[1, 0],
        checkpoint=checkpoint or Nowhere(),
        interruption=interruption or Interruption(),
    )
    network.losses = history["train_loss"].tolist()
    return best
