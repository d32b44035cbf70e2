"""What weights expect of their input: attached to them, because nothing fails when it is wrong."""

from __future__ import annotations

import dataclasses
import functools

import torch
from torch import Tensor

from facebias.models.architectures import resampling


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputConvention:
    """How weights want their pixels.

    ``channel_order`` is ``rgb`` or ``bgr``; pixels run from 0 to ``scale``; ``mean`` is subtracted
    and the rest divided by ``std``, both on that scale and in that channel order.
    """

    channel_order: str
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def reordered(self, channel_order: str) -> InputConvention:
        """Return the same convention for weights that want their channels in another order."""
        if channel_order == self.channel_order:
            return self
        mean, std = self.mean[::-1], self.std[::-1]
        return dataclasses.replace(self, channel_order=channel_order, mean=mean, std=std)

    def normalise(self, images: Tensor) -> Tensor:
        """Turn RGB images (..., 3, H, W) from 0 to 1 into what the weights expect."""
        if self.channel_order == "bgr":
            images = images.flip(-3)
        mean, std = _mean_and_std(self, images.dtype, images.device)
        # One new tensor instead of three: on a CPU, fresh memory costs more than the arithmetic.
        return (images * self.scale).sub_(mean).div_(std)

    def bounds(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the lowest and the highest value that each channel can take."""
        low = tuple(-mean / std for mean, std in zip(self.mean, self.std, strict=True))
        high = tuple(
            (self.scale - mean) / std for mean, std in zip(self.mean, self.std, strict=True)
        )
        return low, high


@functools.cache
@torch.inference_mode(False)
def _mean_and_std(
    convention: InputConvention, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation (3, 1, 1), once per device: copies there are waited for.

    Not as tensors of inference, which a training could not use after a prediction made them.
    """
    mean, std = (
        torch.tensor(values, dtype=dtype, device=device)[:, None, None]
        for values in (convention.mean, convention.std)
    )
    return mean, std


# By the data that the weights were trained on. ImageNet's and Kinetics' are those of torchvision's
# weights, VGGFace's those of Parkhi et al. (2015), VGGFace2's those of Cao et al. (2018) as in
# their conversions. ImageNet's are also used to train from scratch.
CONVENTIONS = {
    "imagenet": InputConvention(
        channel_order="rgb", scale=1.0, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
    ),
    "kinetics": InputConvention(
        channel_order="rgb",
        scale=1.0,
        mean=(0.43216, 0.394666, 0.37645),
        std=(0.22803, 0.22145, 0.216989),
    ),
    "vggface": InputConvention(
        channel_order="rgb", scale=255.0, mean=(129.1863, 104.7624, 93.5940), std=(1.0, 1.0, 1.0)
    ),
    "vggface2": InputConvention(
        channel_order="bgr", scale=255.0, mean=(91.4953, 103.8827, 131.0912), std=(1.0, 1.0, 1.0)
    ),
}


def images(clips: Tensor, size: int, device: torch.device | str) -> Tensor:
    """Bring uint8 clips (N, T, H, W, 3) to ``device`` as float RGB (N, T, 3, size, size), 0 to 1.

    Clips of another size are resampled bilinearly, with antialiasing, to bytes again: the same
    bytes on every device.
    """
    # The bytes travel, not the floats: a quarter of the transfer.
    frames = clips.to(device, non_blocking=True).permute(0, 1, 4, 2, 3).flatten(0, 1)
    if frames.shape[-2:] != (size, size):
        frames = resampling.resample(frames, size)
    floats = frames.to(torch.float32, memory_format=torch.contiguous_format)
    # CUDA would multiply by the rounded inverse of a plain number. It divides by a tensor.
    floats.div_(torch.full((), 255.0, device=floats.device))
    return floats.clamp_(0, 1).unflatten(0, clips.shape[:2])
