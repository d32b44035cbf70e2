"""The six networks: a registry that one reads like a table.

Reading the registry imports no torch; a network's module is imported when ``network.build`` makes
it. A further network is one module with ``OPTIONS`` and a class ``Backbone`` (see ``network``)
and one line here.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from facebias.stages import source
from facebias.study import StudyError

ARCHITECTURES: dict[str, str] = {
    "vgg16": "facebias.models.architectures.vgg",
    "vggface": "facebias.models.architectures.vgg",
    "resnet50": "facebias.models.architectures.resnet",
    "senet50": "facebias.models.architectures.senet",
    "cnn3d": "facebias.models.architectures.cnn3d",
    "resnet3d": "facebias.models.architectures.resnet3d",
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


def options(name: str) -> dict[str, Any]:
    """Return the options of architecture ``name`` with their defaults, without importing torch.

    Read from the table ``OPTIONS`` in the source of its module.
    """
    path = Path(__file__).with_name(ARCHITECTURES[name].rpartition(".")[2] + ".py")
    table = source.assigned(path, "OPTIONS")
    if table is None:
        raise StudyError(
            f"{path}: no table OPTIONS; an architecture's module lists its options there"
        )
    return ast.literal_eval(table)
