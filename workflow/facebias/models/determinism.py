"""Same seed, same bits: seeds of named random streams, and torch held to fixed algorithms.

Also the same numbers: from compute capability 8 on a GPU rounds the factors of 32-bit products to
10 bits of mantissa (TF32) unless it is told not to.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from typing import Any

import numpy as np
import torch


def entropy(seed: int, *names: object) -> list[int]:
    """Return the entropy of one named random stream: a digest of its names keeps streams apart."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return [seed, int.from_bytes(digest[:8], "big")]


def torch_seed(key: list[int], *position: int) -> int:
    """Return the seed of torch's random state at one point of a stream (such as an epoch)."""
    state = np.random.SeedSequence(key, spawn_key=position).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


def configure(*, deterministic: bool) -> None:
    """Hold torch to deterministic algorithms, or let it pick the fastest; TF32 is off either way.

    To be called before anything is computed on a GPU: cuBLAS reads its workspace setting once.
    """
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(deterministic)
    # Filling fresh memory finds bugs and changes no result of correct code.
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = not deterministic
    _leave_out_tf32()


def _leave_out_tf32() -> None:
    """Compute 32-bit products in 32 bits.

    Both of torch's interfaces are set. The newer one alone leaves the older flag of cuDNN on, and
    torch raises where it finds the two at odds (pytorch issue 179445); its common setting,
    ``torch.backends.fp32_precision``, does not reach convolutions and recurrent layers.
    """
    with warnings.catch_warnings():
        # From torch 2.9 on the older interface may warn that it will go.
        warnings.simplefilter("ignore")
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    for operation in _float32_operations().values():
        operation.fp32_precision = "ieee"


def float32_products() -> dict[str, str]:
    """Return how a GPU multiplies 32-bit numbers, by kind of operation: ``ieee`` or ``tf32``."""
    return {name: each.fp32_precision for name, each in _float32_operations().items()}


def _float32_operations() -> dict[str, Any]:
    backends = torch.backends
    return {
        "matmul": backends.cuda.matmul,
        "convolution": backends.cudnn.conv,
        "recurrence": backends.cudnn.rnn,
    }
