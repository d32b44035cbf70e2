"""Number formats of training: as narrow as the device has in hardware."""

from __future__ import annotations

import dataclasses

import torch

from facebias.study import StudyError

FORMATS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
# Compute capability from which tensor cores have the format. ``is_bf16_supported`` also says yes
# where it is emulated, slowly.
LEAST = {"fp16": (7, 0), "bf16": (8, 0)}


@dataclasses.dataclass(frozen=True)
class Precision:
    """A number format on a device."""

    name: str
    device: torch.device

    @property
    def scaled(self) -> bool:
        """Whether gradients must be scaled: only fp16 has too little range."""
        return self.name == "fp16"

    def autocast(self) -> torch.autocast:
        """Give the context in which the network runs in this format."""
        return torch.autocast(
            self.device.type, dtype=FORMATS[self.name], enabled=self.name != "fp32"
        )

    def scaler(self) -> torch.amp.GradScaler:
        """Give the scaler of the gradients; it does nothing where none is needed."""
        return torch.amp.GradScaler(self.device.type, enabled=self.scaled)


def choose(wanted: str, device: torch.device) -> Precision:
    """Give the format for ``auto``, ``fp32``, ``fp16`` or ``bf16`` on ``device``.

    ``auto``: bf16 from compute capability 8, fp16 on 7.x (V100, T4), else fp32.

    Raises
    ------
    StudyError
        If the device does not have the wanted format in hardware.
    """
    if device.type == "cpu":
        return Precision(_of(wanted, None, "a CPU"), device)
    capability = torch.cuda.get_device_capability(device)
    found = (
        f"{torch.cuda.get_device_name(device)} (compute capability {capability[0]}.{capability[1]})"
    )
    return Precision(_of(wanted, capability, found), device)


def _of(wanted: str, capability: tuple[int, int] | None, device: str) -> str:
    allowed = [name for name, least in LEAST.items() if capability and capability >= least]
    if wanted == "auto":
        return ["fp32", *allowed][-1]
    if wanted != "fp32" and wanted not in allowed:
        raise StudyError(
            f"training.precision: found {wanted}, but {device} does not have it in hardware; "
            f"it has {', '.join(['fp32', *allowed])} (auto takes the best)"
        )
    return wanted
