"""The six networks against the published ones."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
import synthetic
import torch
import torchvision
from torch import nn

from facebias.models import architectures
from facebias.models.architectures import inputs, sizes, vgg, weights
from facebias.models.architectures import network as networks
from facebias.study import StudyError

pytestmark = pytest.mark.usefixtures("one_thread")

SIDES = dict.fromkeys(architectures.ARCHITECTURES, 224) | {"resnet3d": 112}


def build(name: str, *, frames: int = 2, outputs: int = 6, **settings):
    kind = "mean" if name in ("cnn3d", "resnet3d") else "lstm"
    given = {"width": 1.0, "input_size": SIDES[name], "hidden": 256, "head": kind}
    return networks.build(name, synthetic.architecture(**(given | settings)), outputs, frames)


def count(module: nn.Module) -> int:
    return sum(value.numel() for value in module.parameters())


def se_resnet50() -> int:
    """Parameters of SE-ResNet50 without classifier, added up from its table of layers."""
    total, before = 3 * 64 * 49 + 2 * 64, 64
    for blocks, middle in ((3, 64), (4, 128), (6, 256), (3, 512)):
        out = 4 * middle
        for block in range(blocks):
            source = before if block == 0 else out
            total += source * middle + middle * middle * 9 + middle * out  # convolutions
            total += 2 * (middle + middle + out)  # batch norms
            total += out * (out // 16) + out // 16 + (out // 16) * out + out  # gate
            if block == 0:
                total += source * out + 2 * out  # shortcut
        before = out
    return total


def nearly(found: torch.Tensor, expected: torch.Tensor) -> bool:
    """Tell whether two results agree to 1e-10 of the largest value.

    Both in float64: two orders of adding up differ by some 1e-14 there, on any processor.
    """
    assert found.dtype == expected.dtype == torch.float64
    return bool((found - expected).abs().max() <= 1e-10 * expected.abs().max())


# Published networks, less the classifiers that are ours: 1000 classes of ImageNet, 400 of Kinetics.
PUBLISHED = {
    "vgg16": 138_357_544 - (4096 * 1000 + 1000),
    "vggface": 138_357_544 - (4096 * 1000 + 1000),
    "resnet50": 25_557_032 - (2048 * 1000 + 1000),
    "senet50": 28_088_024 - (2048 * 1000 + 1000),
    "resnet3d": 31_505_325 - (512 * 400 + 400),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_backbone_has_the_published_number_of_parameters(name):
    with torch.device("meta"):
        assert count(build(name).backbone) == PUBLISHED[name]


def test_gated_network_has_the_parameters_of_its_table():
    assert se_resnet50() == 26_039_024 == PUBLISHED["senet50"]


def test_plain_3d_network_has_the_parameters_of_its_table():
    channels = itertools.pairwise((3, 32, 64, 128, 256, 512))
    expected = sum(27 * before * after + 2 * after for before, after in channels)
    with torch.device("meta"):
        assert count(build("cnn3d").backbone) == expected


@pytest.mark.parametrize(
    ("name", "features"),
    [("vgg16", 4096), ("vggface", 4096), ("resnet50", 2048), ("senet50", 2048), ("resnet3d", 512)],
)
def test_features_have_the_published_number(name, features):
    with torch.device("meta"):
        assert build(name).backbone.n_features == features


@pytest.mark.parametrize("side", [1, 2, 5, 7, 8])
def test_pool_of_vgg_is_adaptive_pooling(side):
    for grid in range(1, 13):
        x = torch.randn(2, 3, grid, grid, dtype=torch.float64)
        found, expected = vgg.Pool(grid, side)(x), nn.AdaptiveAvgPool2d(side)(x)
        assert torch.allclose(found, expected, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "reference", "last"),
    [
        ("vgg16", torchvision.models.vgg16, "classifier.6"),
        ("resnet50", torchvision.models.resnet50, "fc"),
    ],
)
def test_forward_pass_equals_torchvision(name, reference, last):
    published = reference(weights=None).eval().double()
    published.get_submodule(last).requires_grad_(False)
    state = {key: v for key, v in published.state_dict().items() if not key.startswith(last)}
    options = {"pool": 7} if name == "vgg16" else {}
    for side in (64, 256):
        # To draw weights that are not used would take longest.
        with torch.device("meta"):
            ours = build(name, input_size=side, options=options).eval().double()
        ours.backbone.load_state_dict(state, assign=True)
        clips = torch.randn(1, 2, 3, side, side).double()
        with torch.inference_mode():
            features = ours.features(clips)[0]
            expected = published(clips[0])
            found = published.get_submodule(last)(features)
        assert nearly(found, expected)


def test_forward_pass_equals_torchvision_in_3d():
    published = torchvision.models.video.r2plus1d_18(weights=None).eval().double()
    ours = build("resnet3d", input_size=48, frames=5).eval().double()
    state = {key: v for key, v in published.state_dict().items() if not key.startswith("fc.")}
    ours.backbone.load_state_dict(state)
    clips = torch.randn(1, 5, 3, 48, 48).double()
    with torch.inference_mode():
        found = published.fc(ours.features(clips).mean(1))
        expected = published(clips.transpose(1, 2))
    assert nearly(found, expected)


def test_gated_network_equals_its_formula():
    from facebias.models.architectures.senet import Block

    downsample = nn.Sequential(nn.Conv2d(16, 64, 1, stride=2, bias=False), nn.BatchNorm2d(64))
    block = Block(16, 16, 2, downsample).eval().double()
    x = torch.randn(2, 16, 9, 9).double()
    with torch.no_grad():
        out = torch.relu(block.bn1(nn.functional.conv2d(x, block.conv1.weight, stride=2)))
        out = torch.relu(block.bn2(nn.functional.conv2d(out, block.conv2.weight, padding=1)))
        out = block.bn3(nn.functional.conv2d(out, block.conv3.weight))
        squeezed = out.mean((2, 3))
        hidden = torch.relu(squeezed @ block.conv4.weight[:, :, 0, 0].T + block.conv4.bias)
        gate = torch.sigmoid(hidden @ block.conv5.weight[:, :, 0, 0].T + block.conv5.bias)
        expected = torch.relu(out * gate[:, :, None, None] + downsample(x))
        assert nearly(block(x), expected)
    assert block.conv4.weight.shape == (4, 64, 1, 1)


@pytest.mark.parametrize(("name", "side"), [("resnet50", 56), ("senet50", 56)])
def test_stem_leaves_the_published_grid(name, side):
    backbone = build(name).backbone
    with torch.inference_mode():
        out = backbone.maxpool(backbone.conv1(torch.zeros(1, 3, 224, 224)))
        odd = backbone.maxpool(torch.zeros(1, 64, 25, 25))
    assert out.shape[-2:] == (side, side)
    # 25 columns: padding gives 13 windows; no padding gives 12, here with the border uncut.
    assert odd.shape[-1] == {"resnet50": 13, "senet50": 12}[name]
    assert backbone.maxpool.padding == {"resnet50": 1, "senet50": 0}[name]


@pytest.mark.parametrize("name", ["resnet50", "senet50"])
def test_stride_sits_where_the_weights_have_it(name):
    block = build(name, width=0.125).backbone.layer2[0]
    strides = (block.conv1.stride[0], block.conv2.stride[0])
    assert strides == {"resnet50": (1, 2), "senet50": (2, 1)}[name]


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_full_size_trains_one_step(name):
    """224 px (112 for resnet3d), one clip; the step reaches both ends of the network.

    Networks of volumes see 20 frames. Those of pictures see each alone, so that two are enough.
    """
    frames = 20 if architectures.module(name).Backbone.volumes else 2
    network = build(name, frames=frames).train()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
    side = SIDES[name]
    clips = torch.randint(0, 256, (1, frames, side, side, 3), dtype=torch.uint8)
    ends = [next(network.backbone.parameters()), network.head.linear.weight]
    before = [value.detach().clone() for value in ends]
    loss = nn.functional.cross_entropy(network(network.prepare(clips)), torch.tensor([2]))
    loss.backward()
    assert all(value.grad.isfinite().all() for value in network.parameters())
    optimiser.step()
    assert torch.isfinite(loss)
    assert not any(torch.equal(value, old) for value, old in zip(ends, before, strict=True))


@pytest.mark.parametrize("frames", [1, 4, 5, 20])
@pytest.mark.parametrize("head", ["lstm", "mean"])
@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_small_networks_take_any_number_of_frames(name, head, frames):
    network = build(name, width=0.25, input_size=48, frames=frames, head=head, hidden=16)
    clips = network.prepare(torch.zeros(2, frames, 48, 48, 3, dtype=torch.uint8))
    features = network.features(clips)
    assert features.shape[0] == 2
    assert features.shape[2] == network.backbone.n_features
    assert features.shape[1] == frames or network.backbone.volumes
    assert network(clips).shape == (2, 6)
    assert torch.equal(network.eval()(clips), network.head(network.features(clips)))


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_order_of_frames_matters_and_neighbours_do_not(name):
    network = build(name, width=0.125, input_size=48, frames=4, head="lstm").eval().double()
    made = np.random.default_rng(0).integers(0, 256, (5, 4, 48, 48, 3), dtype=np.uint8)
    clips = network.prepare(torch.from_numpy(made)).double()
    with torch.inference_mode():
        together, turned = network(clips), network(clips.flip(1))
        alone = torch.cat([network(clips[[number]]) for number in range(5)])
    assert nearly(together, alone)
    assert network.backbone.volumes or not torch.allclose(together, turned, atol=1e-5)


def test_pool_keeps_remainders_and_equals_torch():
    from facebias.models.architectures.cnn3d import Pool

    x = torch.randn(2, 3, 5, 7, 8)
    expected = nn.functional.max_pool3d(x, 2, ceil_mode=True)
    assert torch.equal(Pool(2, 2)(x), expected)
    assert torch.equal(Pool(1, 2)(x), nn.functional.max_pool3d(x, (1, 2, 2), ceil_mode=True))


@pytest.mark.parametrize(
    ("channels", "width", "expected"),
    [(64, 1.0, 64), (45, 1.0, 45), (64, 0.25, 16), (45, 0.25, 8), (64, 0.01, 8), (64, 2.0, 128)],
)
def test_channels_scale_to_multiples_of_eight(channels, width, expected):
    assert sizes.scaled(channels, width) == expected


def test_frozen_backbone_keeps_weights_and_statistics():
    network = build("resnet50", width=0.125, input_size=32, frozen="backbone").train()
    before = {key: value.clone() for key, value in network.backbone.state_dict().items()}
    trained = [value for value in network.parameters() if value.requires_grad]
    assert sum(value.numel() for value in trained) == count(network.head)
    clips = torch.randn(2, 2, 3, 32, 32)
    network(clips).sum().backward()
    torch.optim.SGD(trained, lr=1.0).step()
    assert all(torch.equal(before[key], v) for key, v in network.backbone.state_dict().items())


def test_frozen_convolutions_train_the_dense_layers():
    network = build("vgg16", width=0.125, input_size=32, frozen="convolutions").train()
    trained = {key for key, value in network.named_parameters() if value.requires_grad}
    assert not any(key.startswith("backbone.features") for key in trained)
    assert {"backbone.classifier.0.weight", "backbone.classifier.3.bias"} <= trained
    assert network.backbone.classifier[2].training
    assert not network.backbone.features.training


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("vgg16", {"options": {"pol": 3}}, r"architectures\.vgg16\.options\.pol.*mean pool\?"),
        ("vgg16", {"options": {"dropout": "much"}}, r"options\.dropout: found 'much'"),
        ("vgg16", {"options": {"pool": True}}, r"options\.pool: found True"),
        ("senet50", {"options": {"pool": 3}}, "senet50 has none"),
        ("resnet50", {"options": {"variant": "cafe"}}, "found 'cafe'.*torchvision, caffe"),
        ("cnn3d", {"options": {"layers": [[32, 1]]}}, r"options\.layers\[0\].*three whole"),
        ("resnet50", {"frozen": "convolutions"}, r"resnet50\.frozen.*none, backbone"),
        ("resnet50", {"head": "attention"}, "head.kind.*lstm, mean"),
        ("resnet51", {}, "found 'resnet51'; expected one of vgg16"),
    ],
)
def test_wrong_settings_name_the_key(name, settings, message):
    given = {"width": 0.125, "input_size": 32} | settings
    with pytest.raises(StudyError, match=message):
        networks.build(name, synthetic.architecture(**given), 6, 2)


def test_wrong_clips_are_refused():
    network = build("cnn3d", width=0.25, input_size=32, frames=4)
    with pytest.raises(StudyError, match=r"takes \(N, 4, 3, 32, 32\)"):
        network(torch.zeros(1, 3, 3, 32, 32))


def test_registry_is_read_without_torch():
    code = "import sys, facebias.models.architectures as a\n"
    code += "print(len([a.options(name) for name in a.ARCHITECTURES]), 'torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert done.stdout.split() == ["6", "False"]
    for name in architectures.ARCHITECTURES:
        assert architectures.options(name) == architectures.module(name).OPTIONS


def test_input_is_normalised_by_the_convention():
    clips = torch.full((1, 2, 8, 8, 3), 255, dtype=torch.uint8)
    clips[..., 1] = 0
    found = inputs.CONVENTIONS["imagenet"].normalise(inputs.images(clips, 8, "cpu"))
    expected = torch.tensor([(1 - 0.485) / 0.229, -0.456 / 0.224, (1 - 0.406) / 0.225])
    assert torch.allclose(found[0, 0, :, 3, 3], expected, atol=1e-6)
    bgr = inputs.InputConvention(
        channel_order="bgr", scale=255.0, mean=(91.4953, 103.8827, 131.0912), std=(1.0, 1.0, 1.0)
    )
    found = bgr.normalise(inputs.images(clips, 8, "cpu"))
    expected = torch.tensor([255 - 91.4953, -103.8827, 255 - 131.0912])
    assert torch.allclose(found[0, 0, :, 3, 3], expected, atol=1e-4)
    assert bgr.bounds()[1][0] == pytest.approx(255 - 91.4953)


def test_input_is_resampled_with_antialiasing():
    clips = torch.zeros(1, 1, 32, 32, 3, dtype=torch.uint8)
    clips[:, :, ::2] = 255  # stripes as fine as can be become an even grey
    found = inputs.images(clips, 8, "cpu")
    assert found.shape == (1, 1, 3, 8, 8)
    assert torch.allclose(found, torch.full_like(found, 0.5), atol=0.05)


def test_input_resampled_as_bytes_is_at_most_one_level_off():
    random = np.random.default_rng(1)
    clips = torch.from_numpy(random.integers(0, 256, (2, 3, 40, 40, 3), dtype=np.uint8))
    found = inputs.images(clips, 24, "cpu")
    floats = clips.flatten(0, 1).permute(0, 3, 1, 2).float() / 255
    exact = torch.nn.functional.interpolate(floats, size=(24, 24), mode="bilinear", antialias=True)
    off = 255 * (found.flatten(0, 1) - exact).abs()
    assert off.max() < 1.01
    assert off.mean() < 0.35


def test_weights_come_back_and_must_fit(tmp_path):
    network = build("cnn3d", width=0.25, input_size=32)
    path = tmp_path / "weights.safetensors"
    weights.save(network.state_dict(), path)
    other = build("cnn3d", width=0.25, input_size=32)
    weights.load(other, path)
    assert all(
        torch.equal(a, b)
        for a, b in zip(network.state_dict().values(), other.state_dict().values(), strict=True)
    )
    with pytest.raises(StudyError, match=r"has shape .* the configured network has"):
        weights.load(build("cnn3d", width=0.5, input_size=32), path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StudyError, match="no readable weights"):
        weights.load(other, path)


@pytest.mark.parametrize("name", inputs.CONVENTIONS)
def test_the_other_order_of_channels_gives_the_same_numbers(name):
    given = inputs.CONVENTIONS[name]
    other = given.reordered({"rgb": "bgr", "bgr": "rgb"}[given.channel_order])
    images = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(other.normalise(images), given.normalise(images).flip(-3))
    assert other.bounds() == tuple(bound[::-1] for bound in given.bounds())
    assert given.reordered(given.channel_order) == other.reordered(given.channel_order) == given


def test_filters_of_vgg_start_with_a_mean_of_zero_and_one_size():
    network = build("vgg16", width=0.125, input_size=32)
    layers = [each for each in network.modules() if isinstance(each, nn.Conv2d)]
    assert len(layers) == 13
    for layer in layers:
        filters = layer.weight.flatten(1)
        torch.testing.assert_close(filters.mean(1), torch.zeros(len(filters)), atol=1e-6, rtol=0)
        torch.testing.assert_close(filters.norm(dim=1), torch.full((len(filters),), 2**0.5))
        assert not layer.bias.any()
