"""What a training is of: two trainings with one fingerprint take the same steps."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zlib
from collections.abc import Mapping

import pandas as pd
import torch

from facebias.data.cohort import Model, Reader
from facebias.models import architectures
from facebias.models.training.loop import Examples
from facebias.models.training.precision import Precision
from facebias.stages import closure
from facebias.stages.models import Network
from facebias.study import lean

CLIPS_AT_ONCE = 64


def fingerprint(
    *,
    settings: Network,
    model: Model,
    precision: Precision,
    rows: Mapping[str, pd.DataFrame],
    examples: Mapping[str, Examples],
    pretrained: str | None = None,
) -> str:
    """Return the SHA-256 of everything that decides the course of a training.

    Parameters
    ----------
    settings
        What the job uses of the study.
    model
        Architecture, train split, fold and seed.
    precision
        Number format and kind of device. Not which GPU: a job that is retried may get another.
    rows
        Per role, the rows of the manifest that take part.
    examples
        Per role, what is trained on. The index of the clips decides which pixels these are, so it
        is not looked at besides.
    pretrained
        SHA-256 of the weights that training starts from; None: from scratch.

    Returns
    -------
    Hexadecimal text.
    """
    parts = {
        "settings": lean(settings),
        "model": dataclasses.asdict(model),
        "precision": [precision.name, precision.device.type],
        "torch": torch.__version__,
        "code": code(settings.architecture.called(model.architecture)),
        "people": {
            role: frame[["sample", "subject"]].to_numpy().tolist() for role, frame in rows.items()
        },
        "targets": {role: part.targets.tolist() for role, part in examples.items()},
        "clips": {role: checksums(part.clips) for role, part in examples.items()},
        "pretrained": pretrained,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def code(network: str) -> dict[str, str]:
    """Return the digest of what training ``network`` reaches of every file of the package."""
    return closure.digests(
        "facebias.models.training.stage:main", architectures.ARCHITECTURES[network]
    )


def checksums(clips: Reader) -> list[int]:
    """Return the CRC-32 of every clip.

    Date and size of the files would be cheaper, but a copied or touched file holds the same pixels
    and another file of the same size does not. Every pixel is read once more than training reads
    it; CRC-32 takes a millisecond for 20 frames of 224 x 224, an eighth of SHA-256, and finds any
    change but one in 4 billion that nobody aims at it.
    """
    return [zlib.crc32(clip) for batch in clips.batches(CLIPS_AT_ONCE) for clip in batch]
