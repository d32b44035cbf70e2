"""What the whole of study A (Domnich & Anbarjafari 2021) costs on CPUs, from measured parts.

Each of the six networks goes forward and back over, predicts and explains one clip at the size of
the study on one core; the rest is arithmetic. GPU hours are not derived from seconds of a CPU.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import explaining
import pytest
import studies
import torch
import yaml

from facebias import explanation
from facebias.explanation import methods
from facebias.models.architectures import network as networks
from facebias.study import configuration

HOUR = 3600
# SASE-FE and the splits of config/domnich2021.yaml: 12 videos of each person; 40, 13 and 27 people
# train (those who validate counted among them), 10 test.
VIDEOS_EACH, TRAINING, TESTING = 12, (40, 13, 27), 10
FRAMES = 4  # measured of a clip of pictures; the cost is that of one frame times the frames


@pytest.fixture(scope="module")
def study():
    """Study A as configured."""
    config = yaml.safe_load((studies.ROOT / "config/domnich2021.yaml").read_text())
    return configuration.load(config)


def cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def parts(name: str, study) -> dict[str, float]:
    """Return the CPU seconds of one clip in one step of training, predicted, and explained."""
    given = study.architectures[name]
    whole = given.frames or study.clips.frames
    measured = whole if name.endswith("3d") else FRAMES
    given = dataclasses.replace(given, frames=measured)
    torch.manual_seed(1)
    network = networks.build(name, given, len(study.labels.names), measured)
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9)
    clip = network.prepare(explaining.clips(1, measured, given.input_size))

    def step() -> None:
        optimiser.zero_grad()
        network(clip).logsumexp(1).sum().backward()
        optimiser.step()

    network.train()
    seconds = {"train": cpu(step)}
    network.eval()
    with torch.no_grad():
        seconds["predict"] = cpu(lambda: network(clip))
    lrp = methods.lrp(network, explanation.default_composite(name))
    seconds["explain"] = cpu(lambda: lrp(network, clip, explaining.largest))
    return {part: taken * whole / measured for part, taken in seconds.items()}


def test_study_a(results, study):
    torch.set_num_threads(1)
    trained = VIDEOS_EACH * sum(TRAINING)
    tested = VIDEOS_EACH * TESTING * len(TRAINING)
    together = dict.fromkeys(("train", "predict", "explain"), 0.0)
    for name, given in study.architectures.items():
        seconds = parts(name, study)
        hours = {
            "train": seconds["train"] * trained * given.training.epochs / HOUR,
            "predict": seconds["predict"] * tested / HOUR,
            "explain": seconds["explain"] * tested / HOUR,
        }
        for part, taken in hours.items():
            together[part] += taken
        results.add(
            f"study A, {name}, 3 models: CPU h = s per clip x ({trained} clips x "
            f"{given.training.epochs} epochs; {tested} predicted; {tested} explained)",
            f"{sum(hours.values()):.0f} h = {seconds['train']:.1f} s; {seconds['predict']:.1f} s; "
            f"{seconds['explain']:.1f} s",
        )
    results.add(
        f"whole of study A, {len(TRAINING) * len(study.architectures)} models: CPU h to train, "
        "predict, explain",
        f"{together['train']:.0f}, {together['predict']:.1f}, {together['explain']:.1f}",
        peer="GPU hours: not measured",
    )
