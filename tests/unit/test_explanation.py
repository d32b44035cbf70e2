"""Relevance against zennit, against its own conservation, and as a stage."""

from __future__ import annotations

import numpy as np
import pytest
import synthetic
import torch
import torchvision
import zennit.attribution
import zennit.composites
from zennit.rules import Epsilon
from zennit.torchvision import VGGCanonizer

from facebias import explanation, study, tables
from facebias.architectures import inputs, weights
from facebias.architectures import network as networks
from facebias.explanation import attribution, composites, stage
from facebias.study import StudyError

CONVENTION = inputs.CONVENTIONS["imagenet"]


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.use_deterministic_algorithms(False)


def build(*, frames=2, side=32, name="vgg16", **settings):
    given = synthetic.architecture(**({"input_size": side} | settings))
    return networks.build(name, given, 4, frames).eval()


def clips(n=3, frames=2, side=32):
    made = np.random.default_rng(0).integers(0, 256, (n, frames, side, side, 3), dtype=np.uint8)
    return torch.from_numpy(made)


def rules(name, **settings):
    return composites.composite(
        name, convention=CONVENTION, canonizers=attribution.canonizers("vgg16"), **settings
    )


def first(scores):
    return torch.zeros(len(scores), dtype=torch.long)


def zennits(name, shape):
    if name == "epsilon_gamma_box":
        low, high = (
            torch.tensor(bound)[None, :, None, None].expand(shape) for bound in CONVENTION.bounds()
        )
        return zennit.composites.EpsilonGammaBox(low=low, high=high, canonizers=[VGGCanonizer()])
    return zennit.composites.COMPOSITES[name](canonizers=[VGGCanonizer()])


@pytest.mark.parametrize(
    ("name", "batch_norm"),
    [
        ("epsilon_plus_flat", False),
        ("epsilon_plus_flat", True),
        ("epsilon_plus", False),
        ("epsilon_gamma_box", False),
        ("epsilon_alpha2_beta1_flat", False),
    ],
)
def test_relevance_equals_zennit_on_torchvision(name, batch_norm):
    """Zennit's own composite on torchvision's VGG16 (with smaller dense layers) gives the same."""
    make = torchvision.models.vgg16_bn if batch_norm else torchvision.models.vgg16
    with torch.device("meta"):
        published = make(weights=None)
        published.classifier = torch.nn.Sequential(
            *(torch.nn.Linear(512 * 49, 64), torch.nn.ReLU(True), torch.nn.Dropout()),
            *(torch.nn.Linear(64, 64), torch.nn.ReLU(True), torch.nn.Dropout()),
        )
    network = build(width=1.0, options={"pool": 7, "features": 64, "batch_norm": batch_norm})
    published.load_state_dict(network.backbone.state_dict(), assign=True)
    published.eval()
    prepared = network.prepare(clips(1))
    found = attribution.attribute(network, prepared, first, rules(name))
    features = network.features(prepared).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(network.head(features)[:, 0].sum(), features)
    arriving = (features * gradient)[0].detach()
    images = prepared[0].clone()
    with zennit.attribution.Gradient(published, zennits(name, images.shape)) as attributor:
        _, expected = attributor(images, arriving)
    expected = expected.sum(1)
    assert (found.pixels[0] - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert expected.abs().max() > 0


def test_relevance_is_conserved_without_biases(monkeypatch):
    """float64, epsilon rule, no biases: what enters the backbone arrives at the pixels."""
    # zennit's default epsilon of 1e-6 keeps 3e-5 of the relevance: here it is next to nothing.
    exact = composites.Rules(
        first=None, convolution=lambda: Epsilon(1e-15), dense=lambda: Epsilon(1e-15)
    )
    monkeypatch.setitem(composites.COMPOSITES, "epsilon", exact)
    network = build(frames=3, side=32).double()
    with torch.no_grad():
        for key, value in network.backbone.named_parameters():
            if key.endswith("bias"):
                value.zero_()
    prepared = network.prepare(clips(4, 3)).double()
    found = attribution.attribute(
        network, prepared, lambda scores: scores.argmax(1), rules("epsilon")
    )
    assert found.pixels.dtype == torch.float64
    assert found.features.abs().min() > 0
    error = (found.pixels.flatten(1).sum(1) - found.features).abs() / found.features.abs()
    assert error.max() < 1e-6
    assert torch.allclose(found.conserved, torch.ones(4, dtype=torch.float64), rtol=1e-6)


def test_head_is_passed_by_gradient_times_input():
    network = build(head="mean")
    prepared = network.prepare(clips())
    chosen = torch.tensor([2, 0, 3])
    found = attribution.attribute(network, prepared, lambda scores: chosen, rules("epsilon"))
    with torch.no_grad():
        features = network.features(prepared)
        expected = (features.mean(1) * network.head.linear.weight[chosen]).sum(1)
        assert torch.allclose(found.features, expected, atol=1e-5)
        assert torch.allclose(found.scores, network(prepared), atol=1e-5)
    # A linear head: relevance and bias make up the output.
    outputs = found.scores.gather(1, chosen[:, None])[:, 0]
    assert torch.allclose(found.features + network.head.linear.bias[chosen], outputs, atol=1e-5)


def test_lstm_gradient_in_evaluation_mode_is_right():
    network = build(frames=4).double()
    prepared = network.prepare(clips(2, 4)).double()
    found = attribution.attribute(network, prepared, first, rules("epsilon"))
    with torch.no_grad():
        features = network.features(prepared)
    single = build(frames=4)
    single.load_state_dict(network.state_dict())
    again = attribution.attribute(single, prepared.float(), first, rules("epsilon"))
    assert torch.allclose(found.features.float(), again.features, atol=1e-5)
    numeric = torch.zeros_like(features)
    with torch.no_grad():
        for frame in range(4):
            for place in range(0, features.shape[2], 16):
                step = torch.zeros_like(features)
                step[:, frame, place] = 1e-6
                up, down = network.head(features + step), network.head(features - step)
                numeric[:, frame, place] = (up - down)[:, 0] / 2e-6
    _, entering = attribution._through_head(network, features, first)
    chosen = numeric != 0
    assert chosen.any()
    assert torch.allclose(entering[chosen], (features * numeric)[chosen], atol=1e-7)


def test_neighbours_and_chunks_change_nothing(monkeypatch):
    network = build(width=0.125)
    prepared = network.prepare(clips(5))
    whole = attribution.attribute(network, prepared, first, rules("epsilon_plus_flat"))
    monkeypatch.setattr(attribution, "FRAMES_AT_ONCE", 3)
    parts = attribution.attribute(network, prepared, first, rules("epsilon_plus_flat"))
    alone = attribution.attribute(network, prepared[2:3], first, rules("epsilon_plus_flat"))
    scale = whole.pixels.abs().max()
    assert torch.allclose(whole.pixels, parts.pixels, atol=1e-5 * scale)
    assert torch.allclose(whole.pixels[2:3], alone.pixels, atol=1e-5 * scale)


def test_network_is_left_as_it_was():
    network = build(options={"batch_norm": True})
    before = {key: value.clone() for key, value in network.state_dict().items()}
    attribution.attribute(network, network.prepare(clips()), first, rules("epsilon_plus_flat"))
    after = network.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert all(value.grad is None for value in network.parameters())


def test_what_cannot_be_explained_is_named():
    with pytest.raises(StudyError, match=r"found 'cnn3d'.*expected any of vgg16, vggface"):
        attribution.canonizers("cnn3d")
    with pytest.raises(
        StudyError, match=r"composite: found 'magic'; expected one of epsilon_plus_flat"
    ):
        rules("magic")


def test_names_for_planning_are_those_that_exist():
    assert tuple(composites.COMPOSITES) == explanation.COMPOSITES
    assert tuple(attribution.CANONIZERS) == explanation.EXPLAINED


SETTINGS = {
    "architectures": ("vgg16",),
    "composite": "epsilon_plus_flat",
    "target": "label",
    "batch_size": 3,
    "per_group": 1,
}


def run(tmp_path, *, kind="classes", where=None, **changes):
    made = synthetic.make(tmp_path / "data", subjects=6, test=4, kind=kind)
    architecture, labels = synthetic.architecture(), synthetic.labels(kind)
    torch.manual_seed(0)
    network = networks.build("vgg16", architecture, len(labels.names), 2)
    (tmp_path / "model").mkdir()
    weights.save(network.state_dict(), tmp_path / "model" / "weights.safetensors")
    settings = study.settings(
        architecture=architecture,
        labels=labels,
        explanation=study.Explanation(**(SETTINGS | changes)),
        test=study.Split(where=where or {}),
    )
    stage.main(
        [
            *("--settings", settings, "--architecture", "vgg16", "--train-split", "regular"),
            *("--test-split", "chosen", "--fold", "0", "--seed", "1", *made.arguments()),
            *("--model", str(tmp_path / "model"), "--out", str(tmp_path / "x.npz")),
            *("--table", str(tmp_path / "x.csv")),
        ]
    )
    return tables.read(tmp_path / "x.csv", tables.EXPLANATIONS), np.load(tmp_path / "x.npz")


def test_stage_explains_every_selected_test_sample(tmp_path):
    table, arrays = run(tmp_path, where={"gender": "female"})
    assert set(table["subject"]) == {"p00", "p02"}
    assert len(table) == 2 * 4 - 1  # one was left out
    assert table["row"].tolist() == list(range(7))
    assert arrays["sample"].tolist() == table["sample"].tolist()
    assert arrays["relevance"].shape == (7, 2, 32, 32)
    assert arrays["relevance"].dtype == np.float16
    assert arrays["faces"].shape[:2] == (7, 2)
    assert arrays["faces"].dtype == np.uint8
    # Every row holds its own sample's pixels.
    assert len(np.unique(arrays["faces"].reshape(7, -1), axis=0)) == 7
    assert np.allclose(np.abs(arrays["relevance"]).max(axis=(1, 2, 3)), 1)
    sums = arrays["relevance"].astype(float).sum(axis=(1, 2, 3)) * arrays["scale"]
    assert np.allclose(sums, table["relevance"], rtol=0.01, atol=1e-4)
    assert (table["explained"] == table["label"]).all()
    assert table["score"].between(0, 1).all()
    assert (table["test_split"] == "chosen").all()


def test_stage_explains_the_predicted_label(tmp_path):
    table, _ = run(tmp_path, target="predicted")
    assert (table["explained"] == table["predicted"]).all()
    assert (table["score"] >= 0.25).all()


def test_stage_explains_a_named_unit(tmp_path):
    table, _ = run(tmp_path, kind="units", target="AU2")
    assert set(table["explained"]) == {"AU2"}
    assert "AU2" in table["label"].tolist()


def test_stage_says_what_it_cannot_explain(tmp_path):
    with pytest.raises(
        StudyError, match=r"target: found 'label'; with labels.kind units expected pre"
    ):
        run(tmp_path, kind="units")
    assert not (tmp_path / "x.npz").exists()


def test_stage_says_when_nothing_is_selected(tmp_path):
    with pytest.raises(StudyError, match="test split 'chosen' selects no clip of fold 0"):
        run(tmp_path, where={"gender": "other"})


def test_two_runs_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        run(tmp_path / name)
    for file in ("x.npz", "x.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_names_for_planning_are_what_can_be_done():
    assert set(explanation.COMPOSITES) == set(composites.COMPOSITES)
    assert set(explanation.EXPLAINED) == set(attribution.CANONIZERS)
