"""The six networks: a registry that one reads like a table.

Reading the registry imports no torch; a network's module is imported when it is built.
A further network is one module with ``OPTIONS`` and a class ``Backbone`` (see ``network``) and
one line here.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from facebias.study import Architecture, StudyError

if TYPE_CHECKING:
    from facebias.architectures.network import Network

ARCHITECTURES: dict[str, str] = {
    "vgg16": "facebias.architectures.vgg",
    "vggface": "facebias.architectures.vgg",
    "resnet50": "facebias.architectures.resnet",
    "senet50": "facebias.architectures.senet",
    "cnn3d": "facebias.architectures.cnn3d",
    "resnet3d": "facebias.architectures.resnet3d",
}


def module(name: str) -> ModuleType:
    """Import the module of architecture ``name``.

    Raises
    ------
    StudyError
        If there is no such architecture.
    """
    if name not in ARCHITECTURES:
        raise StudyError(
            f"architectures: found {name!r}; expected one of {', '.join(ARCHITECTURES)}"
        )
    return importlib.import_module(ARCHITECTURES[name])


def build(name: str, architecture: Architecture, outputs: int, frames: int) -> Network:
    """Make the network ``name`` with freshly drawn weights (torch's random state decides them).

    Parameters
    ----------
    name
        A key of ``ARCHITECTURES``.
    architecture
        Its settings; ``width`` 1 is the published network.
    outputs
        Number of trained labels.
    frames
        Frames of a clip.

    Raises
    ------
    StudyError
        If the architecture, one of its options or a value of ``frozen`` does not exist.
    """
    from facebias.architectures import network

    return network.assemble(name, module(name), architecture, outputs=outputs, frames=frames)


def options(name: str) -> dict[str, Any]:
    """Give the options of architecture ``name`` and their defaults without importing torch.

    Read from the literal ``OPTIONS`` of its module, so that a study can be planned in a second.
    """
    package, _, file = ARCHITECTURES[name].rpartition(".")
    source = Path(__file__).with_name(f"{file}.py").read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "OPTIONS" for target in targets):
            return ast.literal_eval(node.value)
    raise StudyError(f"{package}.{file}: no table OPTIONS; every architecture has one")
