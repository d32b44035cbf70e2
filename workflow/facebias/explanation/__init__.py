"""Heatmaps: where a network looks, by layer-wise relevance propagation."""

from __future__ import annotations

# Names for whoever plans a study without torch; tests hold them equal to what can be done.
COMPOSITES = (
    "epsilon_plus_flat",
    "epsilon_plus",
    "epsilon_gamma_box",
    "epsilon_alpha2_beta1_flat",
    "epsilon",
)
EXPLAINED = ("vgg16", "vggface")
