"""The device that a model runs on."""

from __future__ import annotations

import dataclasses
import os
import platform
import re
import warnings
from collections.abc import Mapping

import torch

from facebias.study import StudyError

# Where SLURM or a person says which GPUs a job has, and the values that stand for none.
GIVEN = {
    "SLURM_JOB_GPUS": ("", "NoDevFiles"),
    "SLURM_STEP_GPUS": ("", "NoDevFiles"),
    "SLURM_GPUS": ("", "0"),
    "CUDA_VISIBLE_DEVICES": ("", "-1", "NoDevFiles"),
}


@dataclasses.dataclass(frozen=True)
class Fault:
    """Why no GPU can be used, and what to do; ``seen``: whether there is one all the same."""

    found: str
    remedy: str
    seen: bool


def choose(wanted: str) -> torch.device:
    """Give the device for ``auto``, ``cpu`` or ``cuda``.

    ``auto`` takes the GPU. It takes the CPU only where torch sees no GPU and none was given to the
    job: what needs hours on a GPU would need weeks there.

    Raises
    ------
    StudyError
        If a GPU is wanted, seen or given, but does not compute.
    """
    if wanted == "cpu":
        return torch.device("cpu")
    fault = find_fault()
    if fault is None:
        return torch.device("cuda")
    gpu = given(os.environ)
    if wanted == "auto" and gpu is None and not fault.seen:
        return torch.device("cpu")
    job = "" if gpu is None else f" and this job was given a GPU ({gpu})"
    raise StudyError(
        f"training.device: found {wanted}{job}, but on {platform.node()} {fault.found}; "
        f"{fault.remedy}; to compute on the CPU all the same, set training.device to cpu"
    )


def given(environment: Mapping[str, str]) -> str | None:
    """Name the variable that gives a GPU to this job, with its value; None if none does."""
    for name, nothing in GIVEN.items():
        value = environment.get(name, "")
        if value and value not in nothing:
            return f"{name}={value}"
    return None


def find_fault() -> Fault | None:
    """Say why no GPU can be used; None if one computes.

    Looks at torch, at the driver and at the kernels, then runs one of them.
    """
    built = f"torch {torch.__version__}"
    if torch.version.cuda is None:
        return Fault(f"{built} is built without CUDA", "install the locked torch", seen=False)
    built = f"{built} (CUDA {torch.version.cuda})"
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if not available:
        # Without a driver torch says nothing; it warns of one that is too old or fails.
        why = "".join(f": {str(warning.message).splitlines()[0]}" for warning in said[:1])
        return Fault(
            f"{built} finds no working GPU{why}",
            "see whether nvidia-smi shows one there, with a driver for CUDA "
            f"{torch.version.cuda.partition('.')[0]} or later",
            seen=bool(said),
        )
    try:
        return _fault_of_gpu(built)
    except RuntimeError as error:
        return Fault(
            f"{built} cannot compute on the GPU: {str(error).splitlines()[0]}",
            "see whether nvidia-smi shows it free and without errors, or take another node",
            seen=True,
        )


def _fault_of_gpu(built: str) -> Fault | None:
    """Compare the GPU with the kernels of torch, and run one of them.

    Raises
    ------
    RuntimeError
        If the GPU does not compute.
    """
    capability = torch.cuda.get_device_capability()
    kernels = torch.cuda.get_arch_list()
    if not runs_on(capability, kernels):
        return Fault(
            f"{built} has kernels for {', '.join(kernels)} and none for "
            f"{torch.cuda.get_device_name()}, compute capability {'.'.join(map(str, capability))}",
            "take another GPU or install a torch with kernels for this one (sm_70, of a V100, is "
            "in torch 2.10 as locked; of later releases only in the wheels for CUDA 12.6)",
            seen=True,
        )
    torch.ones(1, device="cuda").add(1).item()
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
