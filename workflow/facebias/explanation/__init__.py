"""Heatmaps: where a network looks, by layer-wise relevance propagation and second opinions."""

from __future__ import annotations

import ast
from pathlib import Path

from facebias import source

# Names for whoever plans a study without torch; tests hold them equal to what can be done.
METHODS = ("lrp", "lrp_alpha2_beta1", "integrated_gradients", "gradient_shap", "occlusion")

# What suits an architecture where no composite is configured. Measured on the demo's models:
# through plain convolutions the z+ rule alone hardly tells labels apart and stays as it was when
# the head is re-initialised; through bottlenecks it agrees best with occlusion.
DEFAULT_COMPOSITE = "layered"
DEFAULT_COMPOSITES = {"resnet50": "conserving", "senet50": "conserving"}


def composite_names() -> tuple[str, ...]:
    """Name the composites, read from the source of their table: that imports torch."""
    table = source.assigned(Path(__file__).with_name("composites.py"), "COMPOSITES")
    return tuple(map(ast.literal_eval, table.keys))


def default_composite(architecture: str) -> str:
    """Return the composite of an architecture for which none is configured."""
    return DEFAULT_COMPOSITES.get(architecture, DEFAULT_COMPOSITE)
