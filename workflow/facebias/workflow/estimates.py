"""How long jobs may take that were never measured: rough, from the size of a study alone.

Work is counted (clips, frames, operations of the networks) and divided by rates that are declared
here and were not measured on the machine at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from facebias.data import datasets, splits
from facebias.study import Architecture
from facebias.workflow.prepared import Prepared

# Operations (multiplications and additions) per second.
CORE, GPU = 2e10, 1e13
# How far an estimate may be off, either way.
FACTOR = 3
# Seconds: to start a job that makes a table or figure; one that imports torch; to decode a sample;
# to find the face in a key frame; to draw a frame of a film; to measure a heatmap.
LIGHT, HEAVY, SAMPLE, KEY_FRAME, DRAWN_FRAME, HEATMAP = 3.0, 15.0, 0.3, 0.1, 0.05, 0.05
# Passes forward and back per clip; back takes twice as long as forward.
TRAINING = 3
EXPLAINING = {
    "lrp": 6,
    "lrp_alpha2_beta1": 12,
    "integrated_gradients": 3 * 32,
    "gradient_shap": 3 * 32,
    "occlusion": 121,
}


class Estimates:
    """Times of the jobs of one study.

    Parameters
    ----------
    prepared
        The study. Its data set is listed here, not read.
    """

    def __init__(self, prepared: Prepared):
        self._study = study = prepared.study
        manifest, _ = datasets.manifest(study.data, study.labels, prepared.root)
        clips = manifest["subject"].value_counts()
        roles = splits.draw(study.splits, study.seeds, prepared.subjects)
        self._samples = int(clips.sum())
        self._counted: dict[tuple, float] = {}
        self._roles = roles.assign(clips=roles["subject"].map(clips).fillna(0))

    def seconds(
        self, rule: str, wildcards: Mapping[str, str], *, gpus: int, located: bool
    ) -> float:
        """Return how long a job takes.

        Parameters
        ----------
        rule, wildcards
            Which job.
        gpus
            How many GPUs it asks for; 0: it computes on a core.
        located
            Whether its faces are found already, by another job.
        """
        work = _WORK.get(rule)
        if work is None:
            return LIGHT
        seconds, operations = work(self, dict(wildcards) | {"located": located})
        return seconds + operations / (GPU * gpus if gpus else CORE)

    # Each gives seconds that no device changes, and operations.

    def _draw(self, asked: Mapping) -> tuple[float, float]:
        drawn = self._study.data.drawn
        return LIGHT + self._samples * drawn.frames * DRAWN_FRAME / drawn.shards, 0.0

    def _cut(self, asked: Mapping) -> tuple[float, float]:
        clips = self._study.clips.of(asked["variant"].removeprefix("_") or None)
        finding = 0.0 if asked["located"] else clips.frames * KEY_FRAME
        return HEAVY + self._samples / clips.shards * (SAMPLE + finding), 0.0

    def _features(self, asked: Mapping) -> tuple[float, float]:
        return HEAVY, self._forward(asked) * self._samples

    def _train(self, asked: Mapping) -> tuple[float, float]:
        architecture = self._architecture(asked)
        if architecture.has_fixed_features:
            return 2 * HEAVY, 0.0
        passes = TRAINING if architecture.frozen == "none" else 1
        trained = self._clips(asked, "train") * architecture.training.epochs
        return HEAVY, self._forward(asked) * passes * trained

    def _predict(self, asked: Mapping) -> tuple[float, float]:
        return HEAVY, self._forward(asked) * self._clips(asked, "test")

    def _explain(self, asked: Mapping) -> tuple[float, float]:
        passes = EXPLAINING[asked["method"]]
        return HEAVY, self._forward(asked) * passes * self._explained(asked)

    def _relevance(self, asked: Mapping) -> tuple[float, float]:
        return LIGHT + HEATMAP * self._explained(asked), 0.0

    def _architecture(self, asked: Mapping) -> Architecture:
        return self._study.architectures[asked["architecture"]]

    def _clips(self, asked: Mapping, role: str) -> float:
        return float(self._of(asked, role)["clips"].sum())

    def _explained(self, asked: Mapping) -> float:
        most = self._study.explanation.per_subject
        return float(self._of(asked, "test")["clips"].clip(upper=most).sum())

    def _of(self, asked: Mapping, role: str) -> pd.DataFrame:
        roles = self._roles
        mine = roles["train_split"].eq(asked["train_split"]) & roles["role"].eq(role)
        for name in ("fold", "seed"):
            mine &= roles[name].eq(int(asked[name]))
        return roles[mine]

    def _forward(self, asked: Mapping) -> float:
        """Count the operations of one clip through a network, forward."""
        name, architecture = asked["architecture"], self._architecture(asked)
        frames = architecture.frames or self._study.clips.of(architecture.clips).frames
        # Variants see other clips through the same network.
        key = (architecture.called(name), frames, repr(architecture.backbone))
        if key not in self._counted:
            self._counted[key] = operations(architecture.called(name), architecture, frames)
        return self._counted[key]


def operations(name: str, architecture: Architecture, frames: int) -> float:
    """Count the operations of one clip through a network, forward; nothing is computed."""
    import torch  # seconds, which a study that is measured need not wait
    from torch.utils.flop_counter import FlopCounterMode

    from facebias.models.architectures import network

    size = architecture.input_size
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        built = network.build(name, architecture, outputs=2, frames=frames).eval()
        built(torch.empty(1, frames, 3, size, size))
    return float(counter.get_total_flops())


_WORK: dict[str, Callable[[Estimates, Mapping], tuple[float, float]]] = {
    "draw": Estimates._draw,
    "locate": Estimates._cut,
    "extract": Estimates._cut,
    "features": Estimates._features,
    "train_model": Estimates._train,
    "predict": Estimates._predict,
    "explain": Estimates._explain,
    "relevance": Estimates._relevance,
}
