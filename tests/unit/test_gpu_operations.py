"""What networks ask of a GPU: no operation that raises there, and layouts that are fast there.

No GPU is needed: the operations that torch dispatches are looked at, those of the way back too.
"""

from __future__ import annotations

import fitting
import numpy as np
import pytest
import synthetic
import torch
from dispatched import RAISING, convolved, documented, nondeterministic
from explaining import SIX, build, clips, first
from torch import nn
from torch.nn import functional

from facebias import explanation
from facebias.data.cohort import Reader
from facebias.explanation import methods
from facebias.models.training.loop import Examples
from facebias.study import Augmentation

pytestmark = pytest.mark.usefixtures("one_thread")

CHANGES = Augmentation(flip=0.5, rotate=1.0, degrees=15.0, brighten=0.5, brightness=0.3)
# Every network at a size that it pools evenly and at one that leaves remainders; of VGG also grids
# between its convolutions and its fully connected layers that must be pooled.
CASES = [
    *((name, side, {}) for name in SIX for side in (32, 52)),
    ("vgg16", 32, {"pool": 7}),
    ("vgg16", 96, {"pool": 2}),
    ("vggface", 256, {}),
    ("vgg16", 32, {"batch_norm": True}),
    ("resnet50", 52, {"variant": "caffe"}),
    ("cnn3d", 32, {"layers": [[8, 1, 2], [8, 3, 3]], "batch_norm": False}),
]
ZEROS = torch.zeros(1, 4, 4, 2)


class Held:
    """Clips in memory."""

    def __init__(self, values):
        self.values = values
        self.samples = [str(place) for place in range(len(values))]

    def read(self, samples, frames=None):
        return self.values[[int(sample) for sample in samples]]


def train(name, side, options, head, *, frames=5):
    """Train for an epoch of one step, augmented, as a job does."""
    network = build(name, frames=frames, side=side, head=head, options=options, dropout=0.5)
    held = Held(clips(2, frames, side + 4).numpy())
    reader = Reader(held, held.samples, frames=None)
    training = synthetic.training(epochs=1, augmentation=CHANGES, gradient_clip=1.0)
    fitting.unvalidated(network, Examples(reader, np.array([0, 3])), training)


def test_every_documented_operation_is_known():
    """Of a newer torch this fails until the table has been looked at again."""
    assert set(documented()) == set(RAISING)


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.AdaptiveAvgPool2d(3), (1, 2, 8, 8)),
        (nn.AdaptiveAvgPool3d(3), (1, 2, 8, 8, 8)),
        (nn.AvgPool3d(2), (1, 2, 8, 8, 8)),
        (nn.MaxPool3d(2), (1, 2, 8, 8, 8)),
        (nn.AdaptiveMaxPool2d(3), (1, 2, 8, 8)),
        (nn.ReflectionPad2d(1), (1, 2, 8, 8)),
        (nn.Upsample(scale_factor=2, mode="bilinear"), (1, 2, 8, 8)),
        (lambda x: functional.interpolate(x, 5, mode="bilinear", antialias=True), (1, 2, 8, 8)),
        (lambda x: functional.grid_sample(x, ZEROS, align_corners=False), (1, 2, 8, 8)),
        (lambda x: x.cumsum(0), (8,)),
        (lambda x: x.median(0).values, (8, 2)),
        (lambda x: functional.nll_loss(x, torch.zeros(1, 8, 8).long()), (1, 2, 8, 8)),
    ],
)
def test_raising_operations_are_noticed(module, shape):
    with nondeterministic() as looked:
        module(torch.randn(shape, requires_grad=True)).sum().backward()
    assert looked.found


@pytest.mark.parametrize("head", ["lstm", "mean"])
@pytest.mark.parametrize(("name", "side", "options"), CASES)
def test_training_asks_for_nothing_that_raises_under_determinism(name, side, options, head):
    with nondeterministic() as looked:
        train(name, side, options, head)
    assert looked.found == set()


@pytest.mark.parametrize("head", ["lstm", "mean"])
@pytest.mark.parametrize(("name", "side", "options"), CASES)
def test_explaining_asks_for_nothing_that_raises_under_determinism(name, side, options, head):
    network = build(name, side=side, frames=3, head=head, options=options, trained=True)
    given = network.prepare(clips(1, 3, side))
    explain = methods.lrp(network, explanation.default_composite(name))
    with nondeterministic() as looked:
        explain(network, given, first)
    assert looked.found == set()


@pytest.mark.parametrize("name", methods.METHODS)
def test_no_method_asks_for_what_raises_under_determinism(name):
    network = build("vgg16", side=32, options={"pool": 2}, trained=True)
    explain = methods.METHODS[name](network, "conserving")
    with nondeterministic() as looked:
        explain(network, network.prepare(clips(1)), first)
    assert looked.found == set()


@pytest.mark.parametrize(("name", "side", "options"), CASES)
def test_convolutions_get_channels_last(name, side, options):
    """In torch's default layout cuDNN 9.8 to 9.14 is left out for 3-D convolutions in 16 bits."""
    with convolved() as looked:
        train(name, side, options, "mean")
    assert looked.found == []


def test_another_layout_is_noticed():
    with convolved() as looked:
        nn.Conv3d(4, 4, 3)(torch.randn(2, 4, 5, 6, 7))
        nn.Conv2d(4, 4, 3)(torch.randn(2, 4, 5, 6))
    assert looked.found == [(2, 4, 5, 6, 7), (2, 4, 5, 6)]
