"""The device that a model runs on."""

from __future__ import annotations

import dataclasses
import os
import platform
import re
import warnings
from collections.abc import Mapping

import torch

from facebias.models import reservation
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
    """Return the device for ``auto``, ``cpu``, ``cuda`` or a GPU by its number (``cuda:1``).

    ``auto`` takes a GPU. It takes the CPU only where torch sees no GPU and none was given to the
    job: what needs hours on a GPU would need weeks there. Of several GPUs ``auto`` and ``cuda``
    take the first that no other job of this project has (see ``reservation``); one that is asked
    for by its number is shared. What torch computes on ``cuda`` without a number is from then on
    computed there.

    Raises
    ------
    StudyError
        If a GPU is wanted, seen or given, but does not compute or is not free.
    """
    if wanted == "cpu":
        return torch.device("cpu")
    found = _fault_of_torch() or _gpu(wanted)
    if isinstance(found, torch.device):
        return found
    gpu = given(os.environ)
    if wanted == "auto" and gpu is None and not found.seen:
        return torch.device("cpu")
    job = "" if gpu is None else f" and this job was given a GPU ({gpu})"
    raise StudyError(
        f"training.device: found {wanted}{job}, but on {platform.node()} {found.found}; "
        f"{found.remedy}; to compute on the CPU all the same, set training.device to cpu"
    )


def _gpu(wanted: str) -> torch.device | Fault:
    """Reserve a GPU and return it, or why it does not compute."""
    try:
        place = torch.device("cuda", _number(wanted))
        return _fault_of_gpu(place) or place
    except StudyError:
        raise
    except RuntimeError as error:
        return Fault(
            f"{_built()} cannot compute on the GPU: {str(error).splitlines()[0]}",
            "see whether nvidia-smi shows it free and without errors, or take another node",
            seen=True,
        )


def _number(wanted: str) -> int:
    """Reserve a GPU and return its number."""
    _, _, number = wanted.partition(":")
    count = torch.cuda.device_count()
    if count == 1 and number in ("", "0"):
        # Reserved for this job, or shared where more jobs run than there are GPUs.
        return 0
    gpus = [str(torch.cuda.get_device_properties(place).uuid) for place in range(count)]
    if number:
        if int(number) >= count:
            raise StudyError(
                f"training.device: found {wanted}, but the last GPU that torch sees on "
                f"{platform.node()} is cuda:{count - 1}; take that, or cuda for one that is free"
            )
        reservation.share(gpus[int(number)])
        return int(number)
    free = reservation.first_free(gpus)
    if free is None:
        raise StudyError(
            f"training.device: found {wanted}, but other jobs of facebias hold all {count} GPUs of "
            f"{platform.node()}; run at most one job per GPU at a time (--resources gpu={count}, "
            "over all studies), or share one of them with device: cuda:0"
        )
    return free


def given(environment: Mapping[str, str]) -> str | None:
    """Name the variable that gives a GPU to this job, with its value; None if none does."""
    for name, nothing in GIVEN.items():
        value = environment.get(name, "")
        if value and value not in nothing:
            return f"{name}={value}"
    return None


def _fault_of_torch() -> Fault | None:
    """Say why torch can use no GPU at all; None if it sees one."""
    built = f"torch {torch.__version__}"
    if torch.version.cuda is None:
        return Fault(f"{built} is built without CUDA", "install the locked torch", seen=False)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if available:
        return None
    # Without a driver torch says nothing; it warns of one that is too old or fails.
    why = "".join(f": {str(warning.message).splitlines()[0]}" for warning in said[:1])
    return Fault(
        f"{_built()} finds no working GPU{why}",
        "see whether nvidia-smi shows one there, with a driver for CUDA "
        f"{torch.version.cuda.partition('.')[0]} or later",
        seen=bool(said),
    )


def _built() -> str:
    return f"torch {torch.__version__} (CUDA {torch.version.cuda})"


def _fault_of_gpu(place: torch.device) -> Fault | None:
    """Compare a GPU with the kernels of torch and run one of them; None if it computes.

    Raises
    ------
    RuntimeError
        If the GPU does not compute.
    """
    capability = torch.cuda.get_device_capability(place)
    kernels = torch.cuda.get_arch_list()
    if not runs_on(capability, kernels):
        return Fault(
            f"{_built()} has kernels for {', '.join(kernels)} and none for "
            f"{torch.cuda.get_device_name(place)}, compute capability "
            f"{'.'.join(map(str, capability))}",
            "take another GPU or install a torch with kernels for this one (sm_70, of a V100, is "
            "in torch 2.10 as locked; of later releases only in the wheels for CUDA 12.6)",
            seen=True,
        )
    # Also what names no device, such as pinned memory, belongs to this GPU and to no other.
    torch.cuda.set_device(place)
    torch.ones(1, device=place).add(1).item()
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
