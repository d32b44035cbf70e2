"""How fast the demo's networks are explained, with as many clips at once, on one core.

Against zennit called sample by sample: the same composite of zennit's own rules and hooks,
registered once, for one clip after the other. Timings are printed, never asserted.
"""

import time
from pathlib import Path

import explaining
import pytest
import torch
import zennit.core

from facebias import explanation
from facebias.explanation import composites, methods
from facebias.models.architectures import network as networks
from facebias.study import configuration

DEMO = configuration.read(Path(__file__).parents[2] / "config" / "demo.yaml")
CLIPS, FRAMES = DEMO.explanation.batch_size, DEMO.clips.frames
ROUNDS = 3


def seconds(work):
    work()
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


@pytest.mark.parametrize("name", explaining.SIX)
def test_explanations_per_second(name, results):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = networks.build(name, DEMO.architectures[name], len(DEMO.labels.names), FRAMES).eval()
    explaining.like_trained(network)
    side = network.input_size
    given = network.prepare(explaining.clips(CLIPS, FRAMES, side))
    chosen = explanation.default_composite(name)
    ours = methods.lrp(network, chosen)
    rules = composites.composite(chosen, network)
    plain = zennit.core.Composite(
        lambda *part: explaining.zennits(rules.module_map(*part)), rules.canonizers
    )

    def pass_and_back():
        clips = given.clone().requires_grad_()
        torch.autograd.grad(network(clips)[:, 0].sum(), clips)

    def batch():
        return ours(network, given, explaining.largest).pixels

    def one_by_one():
        maps = []
        with plain.context(network):
            for clip in given:
                clip = clip[None].clone().requires_grad_()
                scores = network(clip)
                top = scores.argmax(1)[:, None]
                start = torch.zeros_like(scores).scatter(1, top, scores.detach().gather(1, top))
                maps.append(torch.autograd.grad(scores, clip, start)[0].sum(2))
        return torch.cat(maps)

    expected, found = one_by_one(), batch()
    assert found.shape == expected.shape == (CLIPS, FRAMES, side, side)
    # zennit loses what no input has earned; ours shares it out, up to 2 % of relevance here.
    assert (found - expected).abs().sum() < 0.03 * expected.abs().sum()
    base, mine, theirs = seconds(pass_and_back), seconds(batch), seconds(one_by_one)
    results.add(
        f"explanations per CPU s, {name} ({chosen})",
        f"{CLIPS / mine:.0f}; {mine / base:.1f} passes forward and back each",
        peer=f"{CLIPS / theirs:.0f} (zennit, sample by sample)",
        ratio=theirs / mine,
        goal="3 times; 6 passes",
    )
