"""Heatmaps: where a network looks, by layer-wise relevance propagation and second opinions."""

from __future__ import annotations

# What suits an architecture where no composite is configured. Measured on the demo's models:
# through plain convolutions the z+ rule alone hardly tells labels apart and stays as it was when
# the head is re-initialised; through bottlenecks it agrees best with occlusion.
DEFAULT_COMPOSITE = "layered"
DEFAULT_COMPOSITES = {"resnet50": "conserving", "senet50": "conserving"}


def default_composite(architecture: str) -> str:
    """Return the composite of an architecture for which none is configured."""
    return DEFAULT_COMPOSITES.get(architecture, DEFAULT_COMPOSITE)
