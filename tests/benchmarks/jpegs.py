"""The naive loader: a JPEG file per frame, PIL, torchvision's transforms on every frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from facebias.models.architectures import inputs

CONVENTION = inputs.CONVENTIONS["imagenet"]


class Frames(Dataset):
    """A clip per item and its class, its frames in files of their own."""

    def __init__(self, folder: Path, targets: np.ndarray, *, frames: int, size: int):
        self._folder, self._targets, self._frames = folder, targets, frames
        self._change = transforms.Compose(
            [
                transforms.Resize(size),
                transforms.RandomHorizontalFlip(),
                transforms.RandomRotation(15),
                transforms.ColorJitter(brightness=0.3),
                transforms.ToTensor(),
                transforms.Normalize(CONVENTION.mean, CONVENTION.std),
            ]
        )

    def __len__(self) -> int:
        return len(self._targets)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        paths = [_path(self._folder, number, frame) for frame in range(self._frames)]
        pictures = [self._change(Image.open(path).convert("RGB")) for path in paths]
        return torch.stack(pictures), int(self._targets[number])


def loader(
    clips: np.ndarray, targets: np.ndarray, folder: Path, *, size: int, batch: int
) -> DataLoader:
    """Write clips (n, T, H, W, 3) as JPEG files and give what loads them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, clip in enumerate(clips):
        for frame, picture in enumerate(clip):
            Image.fromarray(picture).save(_path(folder, number, frame), quality=95)
    frames = Frames(folder, targets, frames=clips.shape[1], size=size)
    return DataLoader(frames, batch_size=batch, shuffle=True)


def _path(folder: Path, number: int, frame: int) -> Path:
    return folder / f"{number:03d}-{frame:02d}.jpg"
