"""Files of pretrained weights with random numbers, in the formats of those that are published.

And what their networks compute, in float64, written down from the papers without the package: the
layers of VGG16 (Simonyan & Zisserman 2015), ResNet50 (He et al. 2016) and its gates (Hu et al.
2018).
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Arrays = dict[str, np.ndarray]

# Convolutions of VGG16, stage by stage: channels at full width.
VGG16 = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
# Blocks and channels of the layers of ResNet50.
RESNET50 = ((3, 64), (4, 128), (6, 256), (3, 512))


# ------------------------------------------------------------------------------------- numbers


def vggface(width: float = 1.0, people: int = 2622, name: str = "conv{}_{}") -> dict[str, tuple]:
    """Return the shapes of the tensors of VGGFace, by the name in a state dict."""
    shapes, before = {}, 3
    for stage, channels in enumerate(VGG16, start=1):
        for number, outputs in enumerate(channels, start=1):
            outputs, layer = int(outputs * width), name.format(stage, number)
            shapes |= {f"{layer}.weight": (outputs, before, 3, 3), f"{layer}.bias": (outputs,)}
            before = outputs
    sizes = (before * 49, int(4096 * width), int(4096 * width), people)
    for layer, inputs, outputs in zip(("fc6", "fc7", "fc8"), sizes, sizes[1:], strict=False):
        shapes |= {f"{layer}.weight": (outputs, inputs), f"{layer}.bias": (outputs,)}
    return shapes


def vggface2(width: float = 1.0, people: int = 8631, *, gated: bool) -> dict[str, tuple]:
    """Return the shapes of the tensors of VGGFace2's ResNet50 or SENet50, by name."""
    before = int(64 * width)
    shapes = {"conv1.weight": (before, 3, 7, 7), **_norm("bn1", before)}
    for layer, (blocks, middle) in enumerate(RESNET50, start=1):
        middle = int(middle * width)
        outputs = 4 * middle
        for block in range(blocks):
            name = f"layer{layer}.{block}"
            shapes |= {
                f"{name}.conv1.weight": (middle, before, 1, 1),
                **_norm(f"{name}.bn1", middle),
                f"{name}.conv2.weight": (middle, middle, 3, 3),
                **_norm(f"{name}.bn2", middle),
                f"{name}.conv3.weight": (outputs, middle, 1, 1),
                **_norm(f"{name}.bn3", outputs),
            }
            if gated:
                shapes |= {
                    f"{name}.conv4.weight": (outputs // 16, outputs, 1, 1),
                    f"{name}.conv4.bias": (outputs // 16,),
                    f"{name}.conv5.weight": (outputs, outputs // 16, 1, 1),
                    f"{name}.conv5.bias": (outputs,),
                }
            if block == 0:
                shapes[f"{name}.downsample.0.weight"] = (outputs, before, 1, 1)
                shapes |= _norm(f"{name}.downsample.1", outputs)
            before = outputs
    return shapes | {"fc.weight": (people, before), "fc.bias": (people,)}


def _norm(name: str, channels: int) -> dict[str, tuple]:
    return {
        f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")
    }


def drawn(shapes: Mapping[str, tuple], seed: int = 0) -> Arrays:
    """Draw float32 arrays of these shapes, of a scale that keeps signals alive."""
    random = np.random.default_rng(seed)
    return {name: _drawn(name, shape, random) for name, shape in shapes.items()}


def _drawn(name: str, shape: tuple, random: np.random.Generator) -> np.ndarray:
    if name.endswith("running_var") or (name.endswith("weight") and len(shape) == 1):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    if len(shape) == 1:
        return random.normal(0, 0.2, shape).astype(np.float32)
    return random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)


# --------------------------------------------------------------------------------------- files


def write_state_dict(arrays: Arrays, path: Path) -> Path:
    """Write arrays as torch does."""
    torch.save({name: torch.from_numpy(value) for name, value in arrays.items()}, path)
    return path


def write_python2_pickle(arrays: Arrays, path: Path) -> Path:
    """Write float32 arrays as Python 2 with NumPy 1 pickles a dict of them (protocol 2)."""
    out = [b"\x80\x02}("]
    for name, value in arrays.items():
        shape = b"".join(b"J" + struct.pack("<i", size) for size in value.shape)
        data = value.astype("<f4").tobytes()
        out += [
            _python2_text(name.encode()),
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R",
            b"(K\x01(" + shape + b"t",
            b"cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R",
            b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
            b"\x89" + _python2_text(data) + b"tb",
        ]
    path.write_bytes(b"".join([*out, b"u."]))
    return path


def _python2_text(text: bytes) -> bytes:
    return b"T" + struct.pack("<i", len(text)) + text


def write_pickle(arrays: Arrays, path: Path, protocol: int) -> Path:
    """Write arrays as Python 3 pickles a dict of them."""
    path.write_bytes(pickle.dumps(arrays, protocol=protocol))
    return path


def keras_layers(arrays: Arrays) -> Arrays:
    """Lay out VGGFace as Keras has it: kernels (H, W, in, out), inputs of fc6 as H, W, C."""
    found = {}
    for name, value in arrays.items():
        if value.ndim == 4:
            value = value.transpose(2, 3, 1, 0)
        elif name == "fc6.weight":
            value = (
                value.reshape(len(value), -1, 7, 7).transpose(2, 3, 1, 0).reshape(-1, len(value))
            )
        elif value.ndim == 2:
            value = value.T
        found[name] = np.ascontiguousarray(value)
    return found


# ----------------------------------------------------------------------------------- forward passes


def vgg_features(arrays: Arrays, images: Tensor, name: str = "conv{}_{}") -> Tensor:
    """Return what VGG16's second dense layer makes of images (N, 3, 224, 224)."""
    t = {key: torch.from_numpy(value).double() for key, value in arrays.items()}
    x = images
    for stage, channels in enumerate(VGG16, start=1):
        for number in range(1, len(channels) + 1):
            layer = name.format(stage, number)
            x = functional.relu(
                functional.conv2d(x, t[f"{layer}.weight"], t[f"{layer}.bias"], padding=1)
            )
        x = functional.max_pool2d(x, 2)
    x = x.flatten(1)
    for layer in ("fc6", "fc7"):
        x = functional.relu(x @ t[f"{layer}.weight"].T + t[f"{layer}.bias"])
    return x


def keras_features(layers: Arrays, images: np.ndarray) -> np.ndarray:
    """Return what Keras makes of images (N, 224, 224, 3) with its own layout, in NumPy."""
    x = images
    for stage, channels in enumerate(VGG16, start=1):
        for number in range(1, len(channels) + 1):
            layer = f"conv{stage}_{number}"
            kernel, padded = layers[f"{layer}.weight"], np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
            rows, columns = x.shape[1:3]
            x = layers[f"{layer}.bias"] + sum(
                padded[:, i : i + rows, j : j + columns] @ kernel[i, j]
                for i in range(3)
                for j in range(3)
            )
            x = np.maximum(x, 0)
        n, rows, columns, outputs = x.shape
        x = x.reshape(n, rows // 2, 2, columns // 2, 2, outputs).max((2, 4))
    x = x.reshape(len(x), -1)
    for layer in ("fc6", "fc7"):
        x = np.maximum(x @ layers[f"{layer}.weight"] + layers[f"{layer}.bias"], 0)
    return x


def resnet_features(arrays: Arrays, images: Tensor, *, gated: bool) -> Tensor:
    """Return the pooled features of VGGFace2's networks of images (N, 3, 224, 224).

    The stride sits in a block's first convolution; the stem's pool pads nothing and rounds up.
    """
    t = {key: torch.from_numpy(value).double() for key, value in arrays.items()}

    def norm(x: Tensor, name: str) -> Tensor:
        scale = t[f"{name}.weight"] / torch.sqrt(t[f"{name}.running_var"] + 1e-5)
        shift = t[f"{name}.bias"] - t[f"{name}.running_mean"] * scale
        return x * scale[:, None, None] + shift[:, None, None]

    x = functional.conv2d(images, t["conv1.weight"], stride=2, padding=3)
    x = torch.relu(norm(x, "bn1"))
    x = functional.max_pool2d(x, 3, stride=2, ceil_mode=True)
    for layer, (blocks, _) in enumerate(RESNET50, start=1):
        for block in range(blocks):
            name, stride = f"layer{layer}.{block}", 2 if layer > 1 and block == 0 else 1
            y = functional.conv2d(x, t[f"{name}.conv1.weight"], stride=stride)
            y = torch.relu(norm(y, f"{name}.bn1"))
            y = functional.conv2d(y, t[f"{name}.conv2.weight"], padding=1)
            y = torch.relu(norm(y, f"{name}.bn2"))
            y = norm(functional.conv2d(y, t[f"{name}.conv3.weight"]), f"{name}.bn3")
            if gated:
                # z = mean over the grid; s = sigmoid(W2 relu(W1 z)): equations 2 and 3.
                z = y.mean((2, 3))
                z = torch.relu(
                    z @ t[f"{name}.conv4.weight"][:, :, 0, 0].T + t[f"{name}.conv4.bias"]
                )
                s = z @ t[f"{name}.conv5.weight"][:, :, 0, 0].T + t[f"{name}.conv5.bias"]
                y = y * torch.sigmoid(s)[:, :, None, None]
            if block == 0:
                x = functional.conv2d(x, t[f"{name}.downsample.0.weight"], stride=stride)
                x = norm(x, f"{name}.downsample.1")
            x = torch.relu(x + y)
    return functional.avg_pool2d(x, 7).flatten(1)
