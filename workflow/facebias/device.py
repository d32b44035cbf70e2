"""The device that a model runs on."""

from __future__ import annotations

import re

import torch

from facebias.study import StudyError


def choose(wanted: str) -> torch.device:
    """Give the device for ``auto``, ``cpu`` or ``cuda``.

    ``auto`` takes the GPU where there is one that this torch has kernels for, else the CPU.

    Raises
    ------
    StudyError
        If ``cuda`` is wanted and there is no such GPU.
    """
    if wanted == "cpu":
        return torch.device("cpu")
    fault = missing_gpu()
    if fault is None:
        return torch.device("cuda")
    if wanted == "auto":
        return torch.device("cpu")
    raise StudyError(
        f"training.device: found cuda, but {fault}; run on a machine with a GPU, "
        "or set training.device to auto or cpu"
    )


def missing_gpu() -> str | None:
    """Say why no GPU can be used; None if one can."""
    if torch.version.cuda is None:
        return "this torch is built without CUDA"
    if not torch.cuda.is_available():
        return "torch finds no working GPU (no device, no driver, or none given to this job)"
    capability = torch.cuda.get_device_capability()
    if not runs_on(capability, torch.cuda.get_arch_list()):
        version = ".".join(map(str, capability))
        return (
            f"{torch.cuda.get_device_name()} has compute capability {version} and this torch has "
            f"kernels for {', '.join(torch.cuda.get_arch_list())}"
        )
    return None


def runs_on(capability: tuple[int, int], architectures: list[str]) -> bool:
    """Tell whether kernels built for ``architectures`` (``sm_70``, ``compute_90``) run on a GPU.

    Binary code runs on later minor versions of its own major version; intermediate code
    (``compute``) is compiled for any later GPU.
    """
    for name in architectures:
        kind, digits = re.fullmatch(r"(sm|compute)_(\d+)[af]?", name).groups()
        built = (int(digits[:-1]), int(digits[-1]))
        if kind == "compute" and built <= capability:
            return True
        if kind == "sm" and built[0] == capability[0] and built[1] <= capability[1]:
            return True
    return False
