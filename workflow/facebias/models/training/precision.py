"""Number formats of training: as narrow as the device has in hardware."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from facebias.study import StudyError, Training

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
        """Return the context in which the network runs in this format."""
        return torch.autocast(
            self.device.type, dtype=FORMATS[self.name], enabled=self.name != "fp32"
        )

    def scaler(self) -> torch.amp.GradScaler:
        """Return the scaler of the gradients; it does nothing where none is needed."""
        return torch.amp.GradScaler(self.device.type, enabled=self.scaled)

    def optimiser(self, weights: list[nn.Parameter], training: Training) -> torch.optim.SGD:
        """Return the optimiser of ``weights``.

        Fused where gradients are scaled: only then does it skip a step without a look at the host.
        """
        optimiser = torch.optim.SGD(
            weights,
            lr=training.learning_rate,
            momentum=training.momentum,
            weight_decay=training.weight_decay,
            nesterov=training.nesterov,
            fused=self.scaled or None,
        )
        if self.scaled and training.momentum:
            # The fused optimiser of torch 2.10 leaves its momenta undefined if the first step is
            # skipped, and takes them for defined at the second.
            for each in weights:
                optimiser.state[each]["momentum_buffer"] = torch.zeros_like(each)
        return optimiser


def overflowed(scaler: torch.amp.GradScaler, optimiser: torch.optim.Optimizer) -> Tensor:
    """Tell whether gradients had overflowed, so that the last step was skipped (1) or not (0).

    To be asked before the scaler is updated. The answer stays on the device: ``get_scale``, which
    would show it too, waits for it.
    """
    if not scaler.is_enabled():
        return optimiser.param_groups[0]["params"][0].new_zeros(())
    return torch.stack(list(scaler._found_inf_per_device(optimiser).values())).sum()


def choose(wanted: str, device: torch.device) -> Precision:
    """Return the format for ``auto``, ``fp32``, ``fp16`` or ``bf16`` on ``device``.

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
