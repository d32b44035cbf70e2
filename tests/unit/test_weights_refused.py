"""Files of weights that do not fit, are damaged or hold more than weights are refused by name."""

from __future__ import annotations

import os

import h5py
import numpy as np
import pretrained
import pytest
import safetensors.torch
import torch
from converting import backbone, convert, converted

from facebias.models.architectures import inputs, weights
from facebias.models.architectures import network as networks
from facebias.models.architectures.files import READERS
from facebias.study import StudyError

pytestmark = pytest.mark.usefixtures("one_thread")

NARROW = 0.125


def small_file(tmp_path, **changes):
    """A narrow VGGFace file; ``None`` takes a tensor away."""
    arrays = pretrained.drawn(pretrained.vggface(NARROW, people=5)) | changes
    arrays = {name: value for name, value in arrays.items() if value is not None}
    return pretrained.write_state_dict(arrays, tmp_path / "file.pth")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"conv6_1.weight": np.zeros(3)},
            r"no place for conv6_1\.weight, and the file nothing for no",
        ),
        ({"conv1_1.gain": np.zeros(3)}, r"no place for conv1_1\.gain"),
        ({"features.0.weight": np.zeros(3)}, r"no place for features\.0\.weight"),
        (
            {"conv2_1.bias": None, "fc7.weight": None},
            r"no place for no tensor, and the file nothing for features\.5\.bias \(and 1 more\)",
        ),
        ({"fc6.bias": np.zeros(7)}, r"classifier\.0\.bias has shape \(7,\), .* has \(512,\)"),
        (
            {"fc7.bias": np.full(512, np.nan)},
            r"classifier\.3\.bias holds values that are not finite",
        ),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, changes, message):
    path = small_file(tmp_path, **changes)
    with pytest.raises(StudyError, match=message):
        converted("vggface_dag", "vggface", path, backbone("vggface", width=NARROW))


def test_file_without_its_classifier_is_as_good(tmp_path):
    path = small_file(tmp_path, **{"fc8.weight": None, "fc8.bias": None})
    converted("vggface_dag", "vggface", path, backbone("vggface", width=NARROW))


def test_another_format_is_named(tmp_path):
    path = small_file(tmp_path)
    with pytest.raises(StudyError, match=r"for conv1_1\.weight \(and .* features\.0\.weight"):
        converted("torchvision", "vgg16", path, backbone("vgg16", width=NARROW))


def test_smaller_input_needs_the_published_grid(tmp_path):
    path = small_file(tmp_path)
    with pytest.raises(StudyError, match=r"options\.pool: 7"):
        converted("vggface_dag", "vggface", path, backbone("vggface", width=NARROW, side=96))
    wide = backbone("vggface", width=NARROW, side=96, options={"pool": 7})
    converted("vggface_dag", "vggface", path, wide)


def test_another_file_is_refused(tmp_path):
    path = small_file(tmp_path)
    with pytest.raises(StudyError, match=r"file\.pth: SHA-256 [0-9a-f]{64}, expected aaaa"):
        convert(path, "vggface", tmp_path / "out", format="vggface_dag", sha256="a" * 64)
    assert not (tmp_path / "out").exists()


class Shell:
    """Pickled, it asks for a command to be run."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_state_dict_that_runs_code_is_refused(tmp_path):
    path, made = tmp_path / "file.pth", tmp_path / "made"
    torch.save({"conv1.weight": Shell(f"touch {made}")}, path)
    with pytest.raises(StudyError, match=r"file\.pth: not read"):
        READERS["state_dict"](path)
    assert not made.exists()


@pytest.mark.parametrize("content", [b"", b"not a file of torch", b"PK\x03\x04 and no more"])
def test_damaged_state_dict_is_refused(tmp_path, content):
    (tmp_path / "file.pth").write_bytes(content)
    with pytest.raises(StudyError, match=r"file\.pth: not read .*expected a state dict"):
        READERS["state_dict"](tmp_path / "file.pth")


@pytest.mark.parametrize(
    "value",
    [{0: torch.zeros(1)}, {"a": 1}, {"a": torch.zeros(1), "epoch": 1}, [torch.zeros(1)]],
)
def test_what_is_no_dict_of_tensors_by_name_is_refused(tmp_path, value):
    torch.save(value, tmp_path / "file.pth")
    with pytest.raises(
        StudyError, match=r"file\.pth: holds no state dict; expected tensors by name"
    ):
        READERS["state_dict"](tmp_path / "file.pth")


@pytest.mark.parametrize("kind", ["text", "folder"])
def test_keras_file_without_numbers_is_refused(tmp_path, kind):
    with h5py.File(tmp_path / "file.h5", "w") as file:
        file.attrs["layer_names"] = [b"fc6"]
        layer = file.create_group("fc6")
        layer.attrs["weight_names"] = [b"kernel"]
        if kind == "text":
            layer["kernel"] = np.array([b"text"])
        else:
            layer.create_group("kernel")
    with pytest.raises(StudyError, match=r"file\.h5: /fc6/kernel is no array of numbers"):
        READERS["keras"](tmp_path / "file.h5")


def test_older_files_of_torch_are_read(tmp_path):
    """Without the zip container, and without the counters of batch norms."""
    arrays = pretrained.drawn(pretrained.vggface2(NARROW, gated=False))
    state = {name: torch.from_numpy(value) for name, value in arrays.items()}
    torch.save(state, tmp_path / "file.pth", _use_new_zipfile_serialization=False)
    ours = converted(
        "torchvision", "resnet50", tmp_path / "file.pth", backbone("resnet50", width=NARROW)
    )
    assert torch.equal(ours.bn1.running_mean, state["bn1.running_mean"])
    assert ours.bn1.num_batches_tracked == 0


def test_whole_model_is_no_state_dict(tmp_path):
    torch.save({"epoch": 3, "state_dict": {}}, tmp_path / "file.pth")
    with pytest.raises(StudyError, match="holds no state dict"):
        READERS["state_dict"](tmp_path / "file.pth")


def test_trained_weights_without_a_convention_are_refused(tmp_path):
    network = networks.Network(
        backbone("resnet50", width=NARROW, side=32),
        torch.nn.Identity(),
        input_size=32,
        frames=1,
        convention=inputs.CONVENTIONS["imagenet"],
    )
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    safetensors.torch.save_file(state, tmp_path / "weights")
    with pytest.raises(StudyError, match="does not say what its weights expect of pixels"):
        weights.load(network, tmp_path / "weights")
