"""An epoch of each network of study A at full size on a GPU, beside what matrix products reach.

As configured but for pretrained weights and the learning rate, which change no time, and on clips
of noise: 384 of 20 frames, those of the 32 people who train the regular models. Where there is no
GPU, or its hardware lacks a number format, the table says "not measured" and why. A GPU that is
there and does not compute is a failure.
"""

from __future__ import annotations

import dataclasses
import time
import typing

import fitting
import pytest
import studies
import synthetic
import torch
import yaml
from torch.utils import flop_counter

from facebias import configuration, determinism, device
from facebias.architectures import network as networks
from facebias.study import Architecture, Study
from facebias.training import precision

STUDY: Study = configuration.load(
    yaml.safe_load((studies.ROOT / "config" / "domnich2021.yaml").read_text())
)
CLASSES = len(STUDY.labels.names)
PEOPLE, VIDEOS_EACH = 32, 12
WARM = 48  # clips before the clock starts: algorithms are chosen and memory is taken
MATRIX, TRIES = 8192, 10
# Share of the matrix products to reach.
VGG, OTHERS = "35 % of the limit", "20 % of the limit"
GOALS = {"vgg16": VGG, "vggface": VGG}


def settings(name: str) -> Architecture:
    """Give a network of study A as configured, for one epoch in which no loss runs away."""
    given = STUDY.architectures[name]
    training = dataclasses.replace(given.training, epochs=1, learning_rate=1e-6)
    return dataclasses.replace(given, weights=None, training=training)


def operations(name: str, given: Architecture, frames: int) -> int:
    """Count the operations of one clip forward and back: two for each multiply and add."""
    with torch.device("meta"):
        network = networks.build(name, given, CLASSES, frames)
        clip = torch.zeros(1, frames, 3, given.input_size, given.input_size)
    with flop_counter.FlopCounterMode(display=False) as counted:
        network(clip).sum().backward()
    return counted.get_total_flops()


def matrix_products(kind: torch.dtype, place: torch.device) -> float:
    """Give the operations per second of matrix products in a number format, the best of some."""
    left, right = torch.randn(2, MATRIX, MATRIX, device=place, dtype=kind)
    taken = []
    for _ in range(TRIES):
        torch.cuda.synchronize()
        start = time.perf_counter()
        left @ right
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return 2 * MATRIX**3 / min(taken)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> synthetic.Made:
    return synthetic.make(
        tmp_path_factory.mktemp("clips"),
        subjects=PEOPLE,
        repetitions=VIDEOS_EACH // len(synthetic.NAMES),
        frames=STUDY.clips.frames,
        size=STUDY.clips.crop_size,
        validation=0,
        test=0,
        left_out=0,
    )


@pytest.fixture(scope="module")
def gpu(results) -> torch.device:
    """Give the GPU; an error where one is seen or given to the job, but does not compute."""
    found = device.choose("auto")
    if found.type == "cpu":
        left_out(results, "an epoch of each network of study A on a GPU", "there is none")
    return found


def left_out(results, what: str, why: str) -> typing.NoReturn:
    """Say in the table what was not measured, and skip it."""
    results.add(what, f"not measured: {why}")
    pytest.skip(why)


@pytest.fixture
def as_configured():
    """Hold torch to what the study asks for, and let go of it afterwards."""
    (asked,) = {given.training.deterministic for given in STUDY.architectures.values()}
    determinism.configure(deterministic=asked)
    yield
    determinism.configure(deterministic=False)
    torch.backends.cudnn.benchmark = False


@pytest.mark.usefixtures("as_configured")
@pytest.mark.parametrize("number_format", ["fp16", "bf16"])
@pytest.mark.parametrize("name", STUDY.architectures)
def test_epoch(results, gpu, made, name, number_format):
    what = f"epoch of {name} of study A on {torch.cuda.get_device_name(gpu)}, {number_format}"
    if torch.cuda.get_device_capability(gpu) < precision.LEAST[number_format]:
        left_out(results, what, "not in its hardware")
    precise = precision.choose(number_format, gpu)
    given = settings(name)
    frames = given.frames or STUDY.clips.frames
    network = networks.build(name, given, CLASSES, frames).to(gpu)
    n, seconds = epoch(network, made, given, precise)
    ceiling = matrix_products(precision.FORMATS[number_format], gpu)
    results.add(
        f"{what}: clips per s ({n} clips of {frames} frames, {given.input_size} px)",
        f"{n / seconds:.3g}",
        goal=GOALS.get(name, OTHERS),
        limit=(
            n / seconds,
            ceiling / operations(name, given, frames),
            "clips per s, by matrix products",
        ),
    )


def epoch(
    network: networks.Network,
    made: synthetic.Made,
    given: Architecture,
    precise: precision.Precision,
) -> tuple[int, float]:
    """Train for an epoch, as a job does; give its clips, and its seconds after a first few steps.

    The loop reads its losses from the device at the end, so nothing is left to be waited for.
    """
    few = fitting.examples(made, given, "train", most=WARM)
    fitting.unvalidated(network, few, given.training, precise)
    examples = fitting.examples(made, given, "train")
    start = time.perf_counter()
    fitting.unvalidated(network, examples, given.training, precise)
    return len(examples.clips), time.perf_counter() - start
