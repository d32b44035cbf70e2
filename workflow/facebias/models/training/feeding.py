"""Batches on their way to the device that trains: what comes next is read while it computes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

# Where one array ends and the next begins: at multiples of the largest number, int64 or float64.
ALIGNED = 8


@contextlib.contextmanager
def ahead(arrays: Iterable[np.ndarray], device: torch.device) -> Iterator[Iterator[Tensor]]:
    """Read arrays as tensors on the host, for a GPU one ahead of the one asked for.

    A CPU reads in place when it is asked to. For a GPU a thread reads, into pinned memory, from
    which copies to the device need no waiting (``non_blocking=True``).

    Parameters
    ----------
    arrays
        What is read, each one when it is taken; in their order.
    device
        That computes.

    Yields
    ------
    The tensors. What reading raises is raised where the tensor is asked for. The thread has ended
    when the block is left, for whatever reason.
    """
    if not _asynchronous(device):
        yield map(torch.from_numpy, arrays)
        return
    reader = ThreadPoolExecutor(1, thread_name_prefix="reader")
    try:
        yield _one_ahead(reader, iter(arrays))
    finally:
        reader.shutdown(cancel_futures=True)


def send(arrays: Mapping[str, np.ndarray], device: torch.device) -> dict[str, Tensor]:
    """Bring small arrays to the device, for a GPU all of them in one copy that nothing waits for.

    Returns
    -------
    Tensors of the same names, shapes and types.
    """
    if not _asynchronous(device):
        return {name: torch.from_numpy(array) for name, array in arrays.items()}
    parts = [np.ascontiguousarray(array).reshape(-1).view(np.uint8) for array in arrays.values()]
    padded = [np.pad(part, (0, -len(part) % ALIGNED)) for part in parts]
    sent = _pinned(np.concatenate(padded)).to(device, non_blocking=True)
    there = zip(arrays.items(), parts, sent.split([len(part) for part in padded]), strict=True)
    return {
        name: both[: len(part)].view(torch.from_numpy(array).dtype).view(array.shape)
        for (name, array), part, both in there
    }


def _one_ahead(reader: Executor, arrays: Iterator[np.ndarray]) -> Iterator[Tensor]:
    def read() -> Tensor | None:
        array = next(arrays, None)
        return None if array is None else _pinned(array)

    coming = reader.submit(read)
    while (tensor := coming.result()) is not None:
        coming = reader.submit(read)
        yield tensor


def _asynchronous(device: torch.device) -> bool:
    """Tell whether the device computes while the host goes on."""
    return device.type == "cuda"


def _pinned(array: np.ndarray) -> Tensor:
    """Copy to pinned memory; torch takes it from a pool and reuses it when copies from it ended."""
    return torch.from_numpy(array).pin_memory()
