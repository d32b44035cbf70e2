"""Same seed, same bits: seeds of named random streams, and torch held to fixed algorithms."""

from __future__ import annotations

import hashlib
import os

import numpy as np
import torch


def entropy(seed: int, *names: object) -> list[int]:
    """Give the entropy of one named random stream: a digest of its names keeps streams apart."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return [seed, int.from_bytes(digest[:8], "big")]


def torch_seed(key: list[int], *position: int) -> int:
    """Give the seed of torch's random state at one point of a stream (such as an epoch)."""
    state = np.random.SeedSequence(key, spawn_key=position).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


def configure(*, deterministic: bool) -> None:
    """Hold torch to deterministic algorithms, or let it pick the fastest.

    To be called before anything is computed on a GPU: cuBLAS reads its workspace setting once.
    """
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(deterministic)
    # Filling fresh memory finds bugs and changes no result of correct code.
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = not deterministic
