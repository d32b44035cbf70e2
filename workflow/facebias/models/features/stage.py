"""Compute what the frozen part of a network makes of every clip of a data set, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from facebias import tables
from facebias.clips.store import open_clips
from facebias.core import progress
from facebias.core.replacement import replacing
from facebias.data import cohort
from facebias.data.cohort import Clips, Reader
from facebias.models import determinism, device
from facebias.models.architectures import inputs, weights
from facebias.models.architectures import network as networks
from facebias.models.architectures.network import Network
from facebias.stages.models import Features
from facebias.study import Backbone, StudyError

# Frames computed at a time: more make a GPU no faster, and of VGG16 these take 2 GB.
FRAMES_AT_ONCE = 64


def main(arguments: list[str]) -> None:
    """Compute the features of a frozen network for every clip."""
    given = Features.of(arguments)
    torch.set_num_threads(given.threads)
    backbone, place = given.settings.backbone, given.settings.device
    determinism.configure(deterministic=True)
    store = open_clips(given.index)
    if not store.samples:
        raise StudyError(f"{given.index}: no clip is left; see the table of excluded samples")
    network = frozen_network(backbone.called(given.architecture), backbone, store, given.pretrained)
    network.to(device.choose(place))
    clips = Reader(store, store.samples, frames=backbone.frames, limit=0)
    write(network, clips, given.array)
    index = pd.DataFrame({"sample": store.samples, "row": np.arange(len(store.samples))})
    tables.write(index, given.out, tables.FEATURES)


def frozen_network(name: str, settings: Backbone, store: Clips, pretrained: Path) -> Network:
    """Make the network ``name`` with pretrained weights and without a head.

    Raises
    ------
    StudyError
        If nothing of it is frozen, or the weights do not fit.
    """
    backbone = networks.build_backbone(name, settings)
    cut = networks.cut(name, backbone, settings.frozen)
    if cut is None:
        raise StudyError(
            f"architectures.{name}.frozen: found none; features are computed of a frozen part"
        )
    network = Network(
        backbone,
        nn.Identity(),
        input_size=settings.input_size,
        frames=cohort.frames(store, settings),
        convention=inputs.CONVENTIONS["imagenet"],
        cut=cut,
    )
    weights.load_pretrained(network, pretrained)
    return network.eval()


def write(network: Network, clips: Reader, path: Path) -> None:
    """Write what the frozen part makes of all clips to ``path``, batch by batch.

    Always in 32 bits and evaluation mode: a clip's features do not depend on its neighbours.

    Raises
    ------
    StudyError
        If a value is not finite.
    """
    array, done = None, 0
    with replacing(path) as temporary:
        for part in features(network, clips):
            if array is None:
                shape = (len(clips), *part.shape[1:])
                array = np.lib.format.open_memmap(temporary, "w+", dtype=np.float32, shape=shape)
            if not np.isfinite(part).all():
                raise StudyError(f"{path}: a feature is not finite; see whether the weights fit")
            array[done : done + len(part)] = part
            done += len(part)
        array.flush()


@torch.inference_mode()
def features(network: Network, clips: Reader) -> Iterator[np.ndarray]:
    """Yield what the frozen part makes of the clips, in order, a batch at a time."""
    size = max(1, FRAMES_AT_ONCE // network.frames)
    batches = progress.track(
        clips.batches(size), total=-(-len(clips) // size), what="features", unit="batches"
    )
    for batch in batches:
        yield network.frozen_features(network.prepare(torch.from_numpy(batch))).cpu().numpy()
