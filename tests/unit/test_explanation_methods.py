"""Second opinions: what captum's methods promise, through our interface."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from explaining import build, clips, first, largest

from facebias.explanation import methods

pytestmark = pytest.mark.usefixtures("one_thread")

CAPTUMS = [name for name in methods.METHODS if not name.startswith("lrp")]


def explained(name, network, given, choose=largest):
    return methods.METHODS[name](network, "layered")(network, given, choose)


@pytest.mark.parametrize("head", ["lstm", "mean"])
@pytest.mark.parametrize("name", methods.METHODS)
def test_every_method_gives_one_map_per_frame(name, head):
    network = build("cnn3d", frames=4, head=head, trained=True).double()
    given = network.prepare(clips(3, 4)).double()
    chosen = torch.tensor([2, 0, 3])
    found = explained(name, network, given, lambda scores: chosen)
    assert found.pixels.shape == (3, 4, 32, 32)
    assert torch.isfinite(found.pixels).all()
    assert not found.pixels.requires_grad
    assert (found.pixels.flatten(1).abs().sum(1) > 0).all()
    with torch.no_grad():
        assert torch.allclose(found.scores, network(given), rtol=1e-10)
    assert not any("forward" in vars(part) for part in network.modules())


def test_second_rules_are_the_same_whatever_composite_is_configured():
    network = build("vgg16", head="mean", trained=True).double()
    given = network.prepare(clips(2)).double()
    of = {
        (name, composite): methods.METHODS[name](network, composite)(network, given, first).pixels
        for name in ("lrp", "lrp_alpha2_beta1")
        for composite in ("layered", "epsilon_alpha2_beta1_flat")
    }
    second = of["lrp_alpha2_beta1", "layered"]
    assert torch.equal(second, of["lrp_alpha2_beta1", "epsilon_alpha2_beta1_flat"])
    assert torch.equal(second, of["lrp", "epsilon_alpha2_beta1_flat"])
    assert not torch.allclose(second, of["lrp", "layered"], rtol=0.1)


def test_integrated_gradients_add_up_to_what_the_clip_adds(monkeypatch):
    monkeypatch.setattr(methods, "STEPS", 256)
    network = build("vgg16", head="mean", trained=True).double()
    given = network.prepare(clips()).double()
    found = explained("integrated_gradients", network, given)
    with torch.no_grad():
        both = network(given).amax(1), network(torch.zeros_like(given))
    chosen = found.scores.argmax(1)
    added = both[0] - both[1].gather(1, chosen[:, None])[:, 0]
    assert torch.allclose(found.whole, added)
    assert torch.allclose(found.conserved, torch.ones(3).double(), atol=0.02)


def test_gradient_shap_adds_up_roughly():
    """Its sum is right in expectation over draws; a network without bends leaves no chance."""
    network = build("cnn3d", head="mean", options={"layers": ((8, 1, 2),), "batch_norm": False})
    found = explained("gradient_shap", network, network.prepare(clips(2)), first)
    assert torch.allclose(found.conserved, torch.ones(2), atol=0.5)


def test_gradient_shap_is_of_what_the_clip_adds_to_black_white_and_the_mean_colour():
    network = build("cnn3d", head="mean", trained=True).double()
    given = network.prepare(clips(2)).double()
    found = explained("gradient_shap", network, given, first)
    black, white = (
        network.prepare(torch.full((1, *clips(2).shape[1:]), value, dtype=torch.uint8)).double()
        for value in (0, 255)
    )
    with torch.no_grad():
        without = [network(level)[0, 0] for level in (black, white, torch.zeros_like(black))]
        expected = network(given)[:, 0] - torch.stack(without).mean()
    assert torch.allclose(found.whole, expected, rtol=1e-9)


def test_occlusion_is_the_loss_of_the_output():
    network = build("cnn3d", head="mean", trained=True).double()
    given = network.prepare(clips(1)).double()
    found = explained("occlusion", network, given, first)
    side = 32 // methods.SQUARES
    covered = given.clone()
    covered[..., :side, :side] = 0
    with torch.no_grad():
        lost = (network(given) - network(covered))[0, 0]
    # The corner is covered once only.
    corner = found.pixels[0, :, 0, 0]
    assert torch.allclose(corner, lost.expand(2), rtol=1e-9)
    assert found.whole.isnan().all()


@pytest.mark.parametrize("name", CAPTUMS)
def test_neighbours_and_random_states_change_nothing(name, monkeypatch):
    monkeypatch.setattr(methods, "SQUARES", 3)  # each takes a pass
    monkeypatch.setattr(methods, "STEPS", 8)
    network = build("resnet50", width=0.25, trained=True).double()
    given = network.prepare(clips(3)).double()
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    states = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    whole = explained(name, network, given)
    assert np.array_equal(np.random.get_state()[1], states[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), states[1])
    torch.manual_seed(6)
    alone = explained(name, network, given[1:2])
    scale = whole.pixels.abs().max()
    assert torch.allclose(whole.pixels[1:2], alone.pixels, atol=1e-9 * scale)


def test_methods_agree_on_the_place_that_matters():
    """A network that looks at one corner only: every method puts its relevance there."""
    network = build("cnn3d", frames=1, head="mean", options={"layers": ((8, 1, 1),)})
    network.backbone.layers[0].weight.data.abs_()
    mask = torch.zeros(32, 32)
    mask[:8, :8] = 1
    network.backbone.layers[2].register_forward_hook(lambda part, given, out: out * mask)
    given = network.prepare(clips(2, 1))
    for name in methods.METHODS:
        pixels = explained(name, network, given).pixels.abs()
        inside = pixels[..., :12, :12].sum() / pixels.sum()
        assert inside > 0.9, (name, float(inside))
