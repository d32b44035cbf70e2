"""Pretrained weights from the file to the features, in every format, against other code."""

from __future__ import annotations

import dataclasses
import json

import h5py
import numpy as np
import pretrained
import pytest
import torch
import torchvision
from converting import backbone, convert, converted

from facebias import study
from facebias.core import provenance
from facebias.models.architectures import conversion, formats, inputs, weights
from facebias.models.architectures import network as networks
from facebias.models.architectures.files import READERS, from_keras
from facebias.study import StudyError, Weights

pytestmark = pytest.mark.usefixtures("one_thread")

EVERY = [(kind, name) for kind, entries in formats.FORMATS.items() for name in entries]
NARROW = 0.125
VGG_T7 = "conv_{}_{}"


def close(found, expected):
    """Tell whether two results agree to 1e-10 of the largest value, which is not 0.

    Both in float64: two orders of adding up differ by some 1e-14 there, on any processor.
    """
    found, expected = (torch.as_tensor(value).detach() for value in (found, expected))
    assert found.dtype == expected.dtype == torch.float64
    largest = expected.abs().max()
    return largest > 0 and bool((found - expected).abs().max() <= 1e-10 * largest)


def lively(network):
    """Draw what a fresh network has as zeros and ones, so that it matters."""
    for name, value in network.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
        elif name.endswith("running_mean"):
            value.normal_(0, 0.2)
    return network.eval()


# -------------------------------------------------------------------------- every name and shape


def published(kind, name):
    """Return shapes in a published file, by name: of torchvision's networks, or as papers say."""
    if kind == "torchvision":
        makers = {
            "vgg16": torchvision.models.vgg16,
            "resnet50": torchvision.models.resnet50,
            "resnet3d": torchvision.models.video.r2plus1d_18,
        }
        with torch.device("meta"):
            state = makers[name](weights=None).state_dict()
        return {key: tuple(value.shape) for key, value in state.items()}
    return {
        "vggface_keras": lambda: pretrained.vggface(),
        "vggface_dag": lambda: pretrained.vggface(),
        "vggface_t7": lambda: pretrained.vggface(name=VGG_T7),
        "vggface2": lambda: pretrained.vggface2(gated=name == "senet50"),
    }[kind]()


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_every_tensor_of_a_published_file_has_its_place(kind, name):
    entry = formats.FORMATS[kind][name]
    with torch.device("meta"):
        expected = backbone(name, options=dict(entry.options)).state_dict()
    found = {key: torch.zeros(shape) for key, shape in published(kind, name).items()}
    state = conversion.convert(found, entry, expected, where="file")
    assert {key: value.shape for key, value in state.items()} == {
        key: value.shape for key, value in expected.items()
    }
    assert {key: value.dtype for key, value in state.items()} == {
        key: value.dtype for key, value in expected.items()
    }
    classifiers = {"classifier.6", "fc", "fc8"}
    assert {key.rpartition(".")[0] for key in found} & classifiers == set(entry.dropped)
    trainable = [key for key in expected if not key.endswith("num_batches_tracked")]
    kept = [key for key in found if not key.endswith("num_batches_tracked")]
    assert len(trainable) == len(kept) - 2 * len(entry.dropped)


def test_addresses_are_those_of_torchvision():
    known = {
        "vgg16": torchvision.models.VGG16_Weights.IMAGENET1K_V1,
        "resnet50": torchvision.models.ResNet50_Weights.IMAGENET1K_V1,
        "resnet3d": torchvision.models.video.R2Plus1D_18_Weights.KINETICS400_V1,
    }
    entries = formats.FORMATS["torchvision"]
    assert {name: entry.url for name, entry in entries.items()} == {
        name: weights_.url for name, weights_ in known.items()
    }
    for name, weights_ in known.items():
        convention, transforms = inputs.CONVENTIONS[entries[name].convention], weights_.transforms()
        assert (convention.channel_order, convention.scale) == ("rgb", 1.0)
        assert list(convention.mean) == list(transforms.mean)
        assert list(convention.std) == list(transforms.std)


def test_digest_of_torchvision_is_in_the_name_of_its_file():
    given = Weights(source="torchvision", format="torchvision", sha256=None, channel_order="auto")
    assert formats.digest(given, "vgg16") == "397923af"
    assert formats.address(given, "resnet3d").endswith("r2plus1d_18-91a641e6.pth")
    pinned = dataclasses.replace(given, sha256="a" * 64)
    assert formats.digest(pinned, "vgg16") == "a" * 64
    here = dataclasses.replace(given, source="weights/vgg16.pth")
    assert (formats.address(here, "vgg16"), formats.digest(here, "vgg16")) == (None, None)


# ------------------------------------------------------------------- from the file to the features


def test_resnet50_of_torchvision(tmp_path):
    reference = lively(torchvision.models.resnet50(weights=None))
    torch.save(reference.state_dict(), tmp_path / "file.pth")
    convert(tmp_path / "file.pth", "resnet50", tmp_path / "out", side=64)
    network = networks.Network(
        backbone("resnet50", side=64),
        torch.nn.Identity(),
        input_size=64,
        frames=2,
        convention=inputs.CONVENTIONS["vggface2"],
    ).eval()
    origin = weights.load_pretrained(network, tmp_path / "out")
    assert network.convention == inputs.CONVENTIONS["imagenet"]
    assert vars(origin) == {
        "source": "file.pth",
        "format": "torchvision",
        "sha256": provenance.digest(tmp_path / "file.pth"),
    }
    clips = torch.randn(1, 2, 3, 64, 64).double()
    for part in (reference, network):
        part.double()
    with torch.inference_mode():
        assert close(reference.fc(network.features(clips)[0]), reference(clips[0]))


def test_r2plus1d_of_torchvision(tmp_path):
    reference = lively(torchvision.models.video.r2plus1d_18(weights=None))
    path = tmp_path / "file.pth"
    torch.save(reference.state_dict(), path)
    ours = converted("torchvision", "resnet3d", path, backbone("resnet3d", side=32)).double()
    clips = torch.randn(2, 3, 4, 32, 32).double()
    reference.double()
    with torch.inference_mode():
        assert close(reference.fc(ours(clips).mean(2)), reference(clips))


def narrow_vgg16():
    """torchvision's VGG16 with an eighth of the channels."""
    plan = [
        entry
        for stage in pretrained.VGG16
        for entry in (*(int(channels * NARROW) for channels in stage), "M")
    ]
    layers = torchvision.models.vgg.make_layers(plan)
    network = torchvision.models.vgg.VGG(layers, init_weights=False)
    network.classifier = torch.nn.Sequential(
        torch.nn.Linear(64 * 49, 512),
        torch.nn.ReLU(),
        torch.nn.Dropout(),
        torch.nn.Linear(512, 512),
        torch.nn.ReLU(),
        torch.nn.Dropout(),
        torch.nn.Linear(512, 1000),
    )
    return network.eval()


def test_vgg16_of_torchvision(tmp_path):
    reference = narrow_vgg16()
    torch.save(reference.state_dict(), tmp_path / "file.pth")
    ours = backbone("vgg16", width=NARROW)
    converted("torchvision", "vgg16", tmp_path / "file.pth", ours).double()
    images = torch.randn(2, 3, 224, 224).double()
    reference.double()
    with torch.inference_mode():
        assert close(reference.classifier[6](ours(images)), reference(images))


@pytest.mark.parametrize(("kind", "layer"), [("vggface_dag", "conv{}_{}"), ("vggface_t7", VGG_T7)])
def test_vggface_as_a_state_dict(tmp_path, kind, layer):
    arrays = pretrained.drawn(pretrained.vggface(NARROW, people=5, name=layer))
    path = pretrained.write_state_dict(arrays, tmp_path / "file.pth")
    ours = converted(kind, "vggface", path, backbone("vggface", width=NARROW)).double()
    images = torch.randn(2, 3, 224, 224).double()
    with torch.inference_mode():
        assert close(ours(images), pretrained.vgg_features(arrays, images, layer))


@pytest.mark.parametrize("root", ["/", "model_weights"])
def test_vggface_of_keras(tmp_path, root):
    """A file of weights, and one of a whole model."""
    layers = pretrained.keras_layers(pretrained.drawn(pretrained.vggface(NARROW, people=5)))
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        top = file.require_group(root)
        names = ["input_1", "pool1", *dict.fromkeys(key.split(".")[0] for key in layers)]
        for name in names:
            group, parts = top.create_group(name), []
            for part, stored in (("weight", "kernel:0"), ("bias", "bias:0")):
                if f"{name}.{part}" in layers:
                    group.create_dataset(f"{name}/{stored}", data=layers[f"{name}.{part}"])
                    parts.append(f"{name}/{stored}".encode())
            group.attrs["weight_names"] = parts
        # An activation, whose group lies in that of its layer.
        top.create_group("fc6/relu").attrs["weight_names"] = []
        top.attrs["layer_names"] = [name.encode() for name in [*names, "fc6/relu"]]
    found = READERS["keras"](path)
    expected = {name: from_keras(value) for name, value in layers.items()}
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)


def test_damaged_keras_file_is_refused(tmp_path):
    (tmp_path / "file.h5").write_bytes(b"no file of Keras")
    with pytest.raises(StudyError, match=r"file\.h5: not read: .*saved as HDF5"):
        READERS["keras"](tmp_path / "file.h5")


def test_vggface_in_the_layout_of_keras():
    """Kernels and the order of the dense layer's inputs are Keras's own; so is the forward pass."""
    arrays = pretrained.drawn(pretrained.vggface(NARROW, people=5))
    layers = pretrained.keras_layers(arrays)
    found = {name: from_keras(value) for name, value in layers.items()}
    entry = dataclasses.replace(
        formats.FORMATS["vggface_keras"]["vggface"], grids={"classifier.0": (7, 7, 64)}
    )
    ours = backbone("vggface", width=NARROW)
    ours.load_state_dict(conversion.convert(found, entry, ours.state_dict(), where="file"))
    images = torch.randn(1, 3, 224, 224).double()
    expected = pretrained.keras_features(layers, images.permute(0, 2, 3, 1).numpy())
    with torch.inference_mode():
        assert close(ours.double()(images), expected)


@pytest.mark.parametrize("name", ["senet50", "resnet50"])
def test_vggface2_as_pickled_arrays(tmp_path, name):
    arrays = pretrained.drawn(pretrained.vggface2(NARROW, people=5, gated=name == "senet50"))
    path = pretrained.write_python2_pickle(arrays, tmp_path / "file.pkl")
    options = dict(formats.FORMATS["vggface2"][name].options)
    ours = converted("vggface2", name, path, backbone(name, width=NARROW, options=options)).double()
    images = torch.randn(2, 3, 224, 224).double()
    expected = pretrained.resnet_features(arrays, images, gated=name == "senet50")
    with torch.inference_mode():
        assert close(ours(images), expected)
        if name == "resnet50":  # the same numbers in the other variant are another network
            other = converted("vggface2", name, path, backbone(name, width=NARROW)).double()
            assert not close(other(images), expected)


# ------------------------------------------------------------------------------- input conventions

# float32, values below 256: four roundings of at most half a step, which is 2**-17.
ROUNDED = 4 * 2**-17

PICTURE = np.array([[[200, 30, 90], [10, 250, 128]], [[0, 255, 77], [64, 5, 180]]], dtype=np.uint8)
ORDERS = {
    ("vggface_keras", "auto"): "bgr",
    ("vggface_dag", "auto"): "rgb",
    ("vggface_t7", "auto"): "bgr",
    ("vggface_dag", "bgr"): "bgr",
    ("vggface_keras", "rgb"): "rgb",
}


def by_hand(picture, order, means):
    """Subtract the mean of each colour from a picture (H, W, RGB); channels first."""
    colours = {name: picture[..., n].astype(float) - means[name] for n, name in enumerate("rgb")}
    return np.stack([colours[name] for name in order])


@pytest.mark.parametrize(("kind", "asked"), ORDERS)
def test_vggface_gets_the_means_of_its_colours(kind, asked):
    given = Weights(source="x", format=kind, sha256=None, channel_order=asked)
    convention = conversion.convention_of(formats.find(given, "vggface"), given)
    found = convention.normalise(inputs.images(torch.from_numpy(PICTURE[None, None]), 2, "cpu"))
    means = {"r": 129.1863, "g": 104.7624, "b": 93.5940}
    expected = by_hand(PICTURE, ORDERS[kind, asked], means)
    assert np.allclose(found[0, 0].numpy(), expected, rtol=0, atol=ROUNDED)


@pytest.mark.parametrize("name", ["senet50", "resnet50"])
def test_vggface2_gets_the_means_of_its_colours(name):
    given = Weights(source="x", format="vggface2", sha256=None, channel_order="auto")
    convention = conversion.convention_of(formats.find(given, name), given)
    found = convention.normalise(inputs.images(torch.from_numpy(PICTURE[None, None]), 2, "cpu"))
    expected = by_hand(PICTURE, "bgr", {"r": 131.0912, "g": 103.8827, "b": 91.4953})
    assert np.allclose(found[0, 0].numpy(), expected, rtol=0, atol=ROUNDED)


@pytest.mark.parametrize(
    ("name", "mean", "std"),
    [
        ("vgg16", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ("resnet50", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ("resnet3d", (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)),
    ],
)
def test_torchvision_gets_shares_in_units_of_the_spread(name, mean, std):
    given = Weights(source="x", format="torchvision", sha256=None, channel_order="auto")
    convention = conversion.convention_of(formats.find(given, name), given)
    found = convention.normalise(inputs.images(torch.from_numpy(PICTURE[None, None]), 2, "cpu"))
    expected = ((PICTURE / 255 - mean) / std).transpose(2, 0, 1)
    # float32, values below 1: three roundings of at most 2**-25, over the spread, and one below 4.
    rounded = 3 * 2**-25 / min(std) + 2**-23
    assert np.allclose(found[0, 0].numpy(), expected, rtol=0, atol=rounded)


def test_convention_travels_with_the_weights(tmp_path):
    arrays = pretrained.drawn(pretrained.vggface2(gated=True))
    path = pretrained.write_pickle(arrays, tmp_path / "file.pkl", 4)
    convert(path, "senet50", tmp_path / "out", format="vggface2")
    network = networks.build(
        "senet50",
        study.Architecture(
            width=1.0,
            input_size=64,
            frames=None,
            frozen="none",
            options={},
            head=study.Head(kind="mean", hidden=1, layers=1, dropout=0.0),
            training=None,
        ),
        3,
        1,
    )
    assert network.convention == inputs.CONVENTIONS["imagenet"]
    origin = weights.load_pretrained(network, tmp_path / "out")
    assert network.convention == inputs.CONVENTIONS["vggface2"]
    # What is trained from them keeps both.
    model = tmp_path / "model"
    weights.save(network.state_dict(), model, convention=network.convention, origin=origin)
    network.convention = None
    weights.load(network, model)
    assert network.convention == inputs.CONVENTIONS["vggface2"]
    header = model.read_bytes()[8 : 8 + int.from_bytes(model.read_bytes()[:8], "little")]
    noted = json.loads(json.loads(header)["__metadata__"]["facebias"])
    assert noted["origin"]["sha256"] == provenance.digest(path)
