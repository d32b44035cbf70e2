"""Steps of training: threads against parallel jobs, beside the naive loop; epochs from features.

The naive loop is what one writes in an afternoon: a DataLoader over JPEG files, torch's default
threads and memory layout, one job, and the loss asked for at every step.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import fitting
import jpegs
import numpy as np
import pandas as pd
import pytest
import synthetic
import torch
from torch import nn
from torch.nn import functional
from torch.utils import flop_counter

from facebias import study
from facebias.data import cohort
from facebias.models.architectures import network as networks
from facebias.models.features.store import FeatureStore
from facebias.models.training.loop import Examples

CHANGES = study.Augmentation(flip=0.5, rotate=0.5, degrees=15.0, brighten=0.5, brightness=0.3)
STILL = study.Augmentation(flip=0.0, rotate=0.0, degrees=0.0, brighten=0.0, brightness=0.0)
OUTPUTS = len(synthetic.NAMES)
# Side of the input, width of the network, frames of a clip, subjects, clips in a batch.
SIZES = {
    "as in the demo": (48, 0.25, 3, 16, 12),
    "of full size": (224, 1.0, 4, 2, 4),
}
CORES = len(os.sched_getaffinity(0))
# Jobs at once and threads of each.
SHARES = sorted({(CORES, 1), (max(CORES // 2, 1), min(2, CORES)), (1, CORES)}, reverse=True)
CACHED_EPOCHS = 20
MATRIX, TRIES = 4096, 5


def settings(size: str, **changes: object) -> study.Architecture:
    """Return the settings of one epoch of a ResNet50."""
    side, width, _, _, batch = SIZES[size]
    given = {"width": width, "input_size": side, "batch_size": batch, "head": "mean"}
    return synthetic.architecture(**given | {"epochs": 1, "augmentation": CHANGES} | changes)


@functools.cache
def clips_of(size: str, folder: Path) -> synthetic.Made:
    side, _, frames, subjects, _ = SIZES[size]
    return synthetic.make(
        folder, subjects=subjects, frames=frames, size=side, validation=0, test=0, left_out=0
    )


def train(given: tuple[str, synthetic.Made, int]) -> int:
    """Train for an epoch as the project does; give the number of clips."""
    size, made, threads = given
    torch.set_num_threads(threads)
    architecture = settings(size)
    examples = fitting.examples(made, architecture, "train")
    network = networks.build("resnet50", architecture, OUTPUTS, SIZES[size][2])
    fitting.unvalidated(network, examples, architecture.training)
    return len(examples.clips)


class Plain(nn.Module):
    """The same network in torch's default memory layout."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.backbone = network.backbone.to(memory_format=torch.contiguous_format)
        self.head = network.head

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return self.head(self.backbone(clips.flatten(0, 1)).unflatten(0, clips.shape[:2]))


def train_naively(given: tuple[str, synthetic.Made, Path]) -> int:
    """Train for an epoch as one does in an afternoon; give the number of clips."""
    size, made, folder = given
    torch.set_num_threads(CORES)
    side, _, frames, _, batch = SIZES[size]
    architecture = settings(size)
    examples = fitting.examples(made, architecture, "train")
    pictures = examples.clips[np.arange(len(examples.clips))]
    model = Plain(networks.build("resnet50", architecture, OUTPUTS, frames))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    loader = jpegs.loader(pictures, examples.targets, folder, size=side, batch=batch)
    start = time.perf_counter()
    for clips, targets in loader:
        optimiser.zero_grad()
        loss = functional.cross_entropy(model(clips), targets)
        loss.backward()
        optimiser.step()
        assert np.isfinite(loss.item())
    return len(pictures) / (time.perf_counter() - start)


def at_once(work: Callable, given: list) -> list:
    """Do ``work`` in as many fresh processes as there are things given."""
    with multiprocessing.get_context("spawn").Pool(len(given)) as pool:
        return pool.map(work, given, chunksize=1)


def clips_per_second(given: tuple[str, synthetic.Made, int]) -> float:
    """Train; the start of the process does not count."""
    start = time.perf_counter()
    return train(given) / (time.perf_counter() - start)


def matrix_products(_: object) -> float:
    """Return float32 operations per second of matrix products on all cores, the best of some."""
    torch.set_num_threads(CORES)
    left, right = torch.randn(2, MATRIX, MATRIX)
    taken = []
    for _ in range(TRIES):
        start = time.perf_counter()
        left @ right
        taken.append(time.perf_counter() - start)
    return 2 * MATRIX**3 / min(taken)


def operations(size: str) -> int:
    """Count the operations of one clip forward and back: two for each multiply and add."""
    side, _, frames, _, _ = SIZES[size]
    network = networks.build("resnet50", settings(size), OUTPUTS, frames)
    clip = torch.zeros(1, frames, 3, side, side)
    with flop_counter.FlopCounterMode(display=False) as counted:
        network(clip).sum().backward()
    return counted.get_total_flops()


@pytest.mark.parametrize("size", SIZES)
def test_training_step(results, size, tmp_path):
    made = clips_of(size, tmp_path / "data")
    rates = {
        (jobs, threads): sum(at_once(clips_per_second, [(size, made, threads)] * jobs))
        for jobs, threads in SHARES
    }
    (naive,) = at_once(train_naively, [(size, made, tmp_path / "frames")])
    (products,) = at_once(matrix_products, [None])
    ceiling = products / operations(size)
    side, width, frames, _, _ = SIZES[size]
    results.add(
        f"training, ResNet50 {size} ({frames} frames, {side} px, width {width:g}), clips per s of "
        "the machine, jobs x threads",
        "; ".join(f"{jobs} x {threads}: {rate:.3g}" for (jobs, threads), rate in rates.items()),
        peer=f"{naive:.3g} (loader over JPEG files, 1 job, default threads)",
        ratio=max(rates.values()) / naive,
        goal="1.5 times",
        limit=(max(rates.values()), ceiling, "clips per s, by matrix products"),
    )


def test_epochs_from_features(results, tmp_path):
    """A frozen network is computed once per clip, and not once per clip and epoch."""
    torch.set_num_threads(1)
    size = "of full size"
    made, frames = clips_of(size, tmp_path / "data"), SIZES[size][2]
    frozen = settings(size, frozen="backbone", augmentation=STILL)
    examples = fitting.examples(made, frozen, "train")
    network = networks.build("resnet50", frozen, OUTPUTS, frames)
    everything = np.arange(len(examples.clips))
    with torch.no_grad():
        given = network.prepare(torch.from_numpy(examples.clips[everything]))
        features = network.eval().frozen_features(given).numpy()
    samples = [str(number) for number in everything]
    stored = FeatureStore(pd.DataFrame({"sample": samples, "row": everything}), features)
    cached = Examples(cohort.Reader(stored, samples, frames=None), examples.targets, True)

    def epoch(examples: Examples, epochs: int) -> float:
        architecture = settings(size, frozen="backbone", augmentation=STILL, epochs=epochs)
        start = time.process_time()
        fitting.unvalidated(network, examples, architecture.training)
        return (time.process_time() - start) / epochs

    uncached, from_features = epoch(examples, 1), epoch(cached, CACHED_EPOCHS)
    clips = len(everything)
    results.add(
        f"epoch of a frozen ResNet50 {size}, clips per CPU s",
        f"{clips / from_features:.0f} (from stored features)",
        peer=f"{clips / uncached:.2f} (computed at every step)",
        ratio=uncached / from_features,
        goal="30 times",
    )
