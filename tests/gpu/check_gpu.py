r"""Whether a GPU computes what it should, and how fast: one script, under four minutes there.

    python tests/gpu/check_gpu.py

Each of the six networks trains two steps, goes on from the middle of an epoch, explains a clip, is
held against the CPU in 64 bits, takes a step in 16 bits with pixels from 0 to 255, and is timed
beside matrix products. Full size on a GPU; without one small and on the CPU, which shows that the
script works and nothing of a GPU.

It needs no installation: torch, torchvision, NumPy, pandas, zennit and pydantic. Where some of the
last two is missing and nothing can be fetched, bring them along for the Python that is there (git
ignores the folder):

    pip install --no-deps --target tests/gpu/packages --only-binary :all: --python-version 3.12 \
        --platform manylinux_2_17_x86_64 zennit==0.5.1 pydantic==2.14.3 pydantic-core==2.50.4 \
        annotated-types typing-inspection
"""

from __future__ import annotations

import argparse
import copy
import functools
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import bench as benches
import numpy as np
import torch
from bench import NETWORKS, After, Bench, clips, train
from torch.utils import flop_counter

from facebias import explanation, study
from facebias.explanation import attribution, composites
from facebias.models import determinism, device
from facebias.models.architectures import inputs
from facebias.models.architectures import network as networks
from facebias.models.architectures.network import Network
from facebias.models.training import precision
from facebias.models.training.checkpoint import Checkpoint
from facebias.models.training.interruption import Interrupted
from facebias.models.training.precision import Precision

SECONDS = 240
STEPS = 10  # timed; the clips are drawn once and repeated
MATRIX, TRIES = 8192, 10
# Of the largest value. 32 bits leave 8e-6 of scores and 5e-3 of relevance, TF32 9e-4 and 0.08.
SCORES, RELEVANCE = 5e-5, 0.02
# Share of the matrix products to expect of eager torch, by a part of the GPU's name and its format.
# Computed beforehand from operations and memory traffic; no GPU has been asked yet.
GOALS = {
    "H200": {"vgg16": 0.25, "vggface": 0.25, "resnet50": 0.09},
    "V100": {"vgg16": 0.40, "vggface": 0.40, "resnet50": 0.20},
}


class Subject:
    """One network on a bench, with what several checks need of it."""

    def __init__(self, name: str, bench: Bench):
        self.name, self.bench = name, bench
        self.settings = bench.architecture(name)

    @functools.cached_property
    def trained(self) -> dict[str, torch.Tensor]:
        """Its weights after two steps."""
        network = self.bench.build(self.name)
        return self.two_steps(network)

    def two_steps(self, network: Network, **others: Any) -> dict[str, torch.Tensor]:
        """Train two steps in the device's own number format."""
        examples = self.bench.examples(self.name, 2)
        return train(network, examples, self.settings, self.bench.precise, **others)


def trains_to_the_same_bits(subject: Subject) -> str:
    """Two trainings of two steps each, under determinism."""
    again = subject.two_steps(subject.bench.build(subject.name))
    _demand_same(subject.trained, again)
    start = subject.bench.build(subject.name).state_dict()
    moved = sum(not torch.equal(start[key], value) for key, value in again.items())
    _demand(moved > 0, "no weight has changed")
    return f"{moved} of {len(again)} tensors moved, all the same bits"


def resumes_to_the_same_bits(subject: Subject) -> str:
    """A training that is stopped in mid-epoch goes on in a network of other weights."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Checkpoint(Path(folder, "kept"), "check")
        try:
            network = subject.bench.build(subject.name)
            subject.two_steps(network, checkpoint=kept, interruption=After(1))
            raise AssertionError("it did not stop")
        except Interrupted as stop:
            where = str(stop)
        written = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
        again = subject.two_steps(subject.bench.build(subject.name, seed=2), checkpoint=kept)
    _demand_same(subject.trained, again)
    return f"{where}; {written / 2**20:.0f} MiB written"


def explains_to_the_same_bits(subject: Subject) -> str:
    """One clip, twice, by the network's own composite."""
    network = subject.bench.build(subject.name).eval()
    given = torch.from_numpy(subject.bench.examples(subject.name, 1).clips[np.array([0])])
    first, again = (_explained(subject.name, network, network.prepare(given)) for _ in range(2))
    _demand(torch.isfinite(first.pixels).all(), "relevance is not finite")
    _demand(torch.equal(first.pixels, again.pixels), "other bits at the second time")
    return f"{float(first.conserved):.4f} of the output arrived"


def agrees_with_64_bits_on_a_cpu(subject: Subject) -> str:
    """Input to the bit, scores and relevance closely: also shows that TF32 is off."""
    network = subject.bench.build(subject.name).eval()
    network.frames = 2
    given = torch.from_numpy(clips(1, 2, benches.SMALL if subject.bench.small else benches.CROP))
    reference = copy.deepcopy(network).cpu()
    here, there = network.prepare(given), reference.prepare(given)
    _demand(torch.equal(here.cpu(), there), "the input differs from the CPU's")
    found = _explained(subject.name, network, here)
    expected = _explained(subject.name, reference.double(), there.double())
    off = {
        "scores": _off(found.scores, expected.scores),
        "relevance": _off(found.pixels, expected.pixels),
    }
    text = ", ".join(f"{what} {value:.0e}" for what, value in off.items())
    _demand(off["scores"] < SCORES and off["relevance"] < RELEVANCE, f"off by {text}")
    return f"input the same bits; off by {text} of the largest"


def takes_16_bits_of_0_to_255(subject: Subject) -> str:
    """Two steps in fp16 with VGGFace's pixels, the largest that any network gets."""
    network = subject.bench.build(subject.name)
    network.convention = inputs.CONVENTIONS["vggface"]
    precise = Precision("fp16", subject.bench.place)
    weights = train(network, subject.bench.examples(subject.name, 2), subject.settings, precise)
    finite = all(bool(value.isfinite().all()) for value in weights.values())
    _demand(finite, "weights are not finite")
    return f"mean loss {network.losses[-1]:.3f}"


def speed(subject: Subject) -> str:
    """Clips per second of training, and the share of what matrix products reach."""
    bench, name = subject.bench, subject.name
    network = bench.build(name)
    settings, steps = subject.settings, 2 if bench.small else STEPS
    train(network, bench.examples(name, 2), settings, bench.precise)
    examples = bench.examples(name, steps)
    if bench.place.type == "cuda":
        torch.cuda.reset_peak_memory_stats(bench.place)
    start = time.perf_counter()
    train(network, examples, settings, bench.precise)  # reads its losses at the end, so it waits
    rate = len(examples.clips) / (time.perf_counter() - start)
    share = rate * operations(name, settings, bench.shape(name).frames) / ceiling(bench)
    memory = ""
    if bench.place.type == "cuda":
        memory = f", {torch.cuda.max_memory_allocated(bench.place) / 2**30:.1f} GiB"
    goal = goal_of(name, bench)
    goal = "" if goal is None else f" (goal {goal:.0%})"
    return f"{rate:.3g} clips per s, {share:.1%} of matrix products{goal}{memory}"


CHECKS: tuple[Callable[[Subject], str], ...] = (
    trains_to_the_same_bits,
    resumes_to_the_same_bits,
    explains_to_the_same_bits,
    agrees_with_64_bits_on_a_cpu,
    takes_16_bits_of_0_to_255,
    speed,
)


def operations(name: str, settings: study.Architecture, frames: int) -> int:
    """Count the operations of one clip forward and back: two for each multiply and add."""
    with torch.device("meta"):
        network = networks.build(name, settings, benches.CLASSES, frames)
        clip = torch.zeros(1, frames, 3, settings.input_size, settings.input_size)
    with flop_counter.FlopCounterMode(display=False) as counted:
        network(clip).sum().backward()
    return counted.get_total_flops()


@functools.cache
def ceiling(bench: Bench) -> float:
    """Return the operations per second of matrix products in the bench's format, at best."""
    side = 512 if bench.small else MATRIX
    kind = precision.FORMATS[bench.precise.name]
    left, right = torch.randn(2, side, side, device=bench.place, dtype=kind)
    taken = []
    for _ in range(TRIES):
        _wait(bench.place)
        start = time.perf_counter()
        left @ right
        _wait(bench.place)
        taken.append(time.perf_counter() - start)
    return 2 * side**3 / min(taken)


def goal_of(name: str, bench: Bench) -> float | None:
    """Return the share of matrix products that is expected of a network on this GPU, if any."""
    gpu = named(bench.place)
    return next((goals.get(name) for kind, goals in GOALS.items() if kind in gpu), None)


def named(place: torch.device) -> str:
    """Name a device."""
    if place.type == "cuda":
        return torch.cuda.get_device_name(place)
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"


def _wait(place: torch.device) -> None:
    if place.type == "cuda":
        torch.cuda.synchronize(place)


def _explained(name: str, network: Network, given: torch.Tensor) -> attribution.Attribution:
    rules = composites.composite(explanation.default_composite(name), network)
    return attribution.propagate(network, given, lambda scores: scores.argmax(1), rules)


def _off(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the largest difference over the largest value."""
    return float((found.cpu().double() - expected).abs().max() / expected.abs().max())


def _demand(holds: Any, fault: str) -> None:
    if not holds:
        raise AssertionError(fault)


def _demand_same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    other = [key for key, value in first.items() if not torch.equal(value, second[key])]
    _demand(not other, f"other bits in {len(other)} of {len(first)} tensors, such as {other[:1]}")


def run(bench: Bench, names: Sequence[str]) -> int:
    """Do every check of every network, print a line each, and return how many failed."""
    failed = 0
    print("| network | check | outcome | figures | s |\n| --- | --- | --- | --- | --- |")
    for name in names:
        subject = Subject(name, bench)
        for check in CHECKS:
            start = time.perf_counter()
            try:
                outcome, figures = "holds", check(subject)
            except Exception as error:  # one that fails must not hide the others
                outcome, figures = "FAILS", f"{type(error).__name__}: {error}".splitlines()[0]
                failed += 1
            seconds = time.perf_counter() - start
            words = check.__name__.replace("_", " ")
            print(f"| {name} | {words} | {outcome} | {figures} | {seconds:.1f} |", flush=True)
        del subject
        if bench.place.type == "cuda":
            torch.cuda.empty_cache()
    return failed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks; return the exit code."""
    start = time.perf_counter()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:1")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=NETWORKS)
    given = parser.parse_args(arguments)
    determinism.configure(deterministic=True)
    place = device.choose(given.device)
    bench = Bench(place, precision.choose("auto", place), small=place.type == "cpu")
    size = "small, so nothing is shown of a GPU" if bench.small else "full size"
    print(
        f"{named(place)}; {bench.precise.name}; {size}; torch {torch.__version__}, "
        f"Python {platform.python_version()}; 32-bit products: {determinism.float32_products()}\n"
    )
    failed = run(bench, given.networks)
    seconds = time.perf_counter() - start
    checks = len(CHECKS) * len(given.networks)
    print(f"\n{checks - failed} of {checks} checks hold, in {seconds:.0f} s")
    if not bench.small and seconds > SECONDS:
        print(f"That is more than {SECONDS} s.")
        failed += 1
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
