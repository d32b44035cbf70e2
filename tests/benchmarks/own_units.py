"""Where expressions change drawn faces, and where accurate networks look: a page.

Every network learns the films of ``tests/unit/test_relevance_proof.py``, whose 3D-CNN must look at
the own Action Units, and is explained by LRP and by methods that know nothing of its layers. A
quarter of an hour on one core, no part of ``make bench``::

    python tests/benchmarks/own_units.py --folder FOLDER --out docs/own_units.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "unit"), str(ROOT / "workflow")]

import filmed  # noqa: E402

from facebias import study  # noqa: E402
from facebias.core.vocabulary import printed  # noqa: E402

LABELS = study.Labels(
    kind="classes", names=("happiness", "surprise", "sadness", "anger", "disgust", "contempt"),
    fuse={}, subsample_fused=False, seed=1,
)  # fmt: skip
SUBJECTS, TRAINING, FRAMES = 46, 26, 3
METHODS = ("lrp", "integrated_gradients", "occlusion")
# As in the demo; without pretrained weights VGGFace is VGG16.
NETWORKS = {
    "vgg16": {"learning_rate": 0.01, "options": {"batch_norm": True, "dropout": 0.2}},
    "resnet50": {"learning_rate": 0.03},
    "senet50": {"learning_rate": 0.05},
    "cnn3d": {"learning_rate": 0.03},
    "resnet3d": {"learning_rate": 0.03},
}
PARTS = ("brows", "eyes", "nose", "mouth", "cheeks", "forehead", "hair", "background")


def films(folder: Path) -> tuple[filmed.Films, filmed.Films]:
    """Film everybody with every label, and again with a face at rest."""
    return tuple(
        filmed.films(
            folder / name, subjects=SUBJECTS, repetitions=2, labels=LABELS.names, frames=FRAMES,
            at_rest=at_rest,
        )
        for name, at_rest in (("shown", False), ("rest", True))
    )  # fmt: skip


def located(shown: filmed.Films, at_rest: filmed.Films) -> tuple[pd.DataFrame, dict[str, float]]:
    """Measure the changed pixels and the heatmaps of all networks by region.

    Returns
    -------
    ``tables.RELEVANCE`` of all with ``label``; what expressions change is ``changes`` of the
    architecture ``none``. And the accuracy of every network.
    """
    people = sorted(shown.manifest["subject"].unique())
    train, test = shown.of(people[:TRAINING]), shown.of(people[TRAINING:])
    parts, accuracies = [], {}
    for name, settings in NETWORKS.items():
        trained = filmed.train(shown, train, LABELS, name, epochs=24, frames=FRAMES, **settings)
        for method in METHODS:
            facts, found = filmed.explain(shown, test, LABELS, trained, method)
            parts.append(found)
        accuracies[name] = float((facts["label"] == facts["predicted"]).mean())
        print(f"{name}: accuracy {accuracies[name]:.2f}", file=sys.stderr)
    facts = facts.assign(method="changes", architecture="none")
    parts.append(filmed.locate(shown, facts, filmed.changes(shown, at_rest, test)))
    label = test.set_index("sample")["label"]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(label=table["sample"].map(label)), accuracies


def by_subject(table: pd.DataFrame, region: str) -> np.ndarray:
    """Return the mean ratio of a region to its area, of every subject."""
    return table[table["region"] == region].groupby("subject")["ratio"].mean().to_numpy()


def interval(values: np.ndarray) -> str:
    """Write a mean over subjects with its 95 % interval (t)."""
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    return f"{values.mean():.1f} ({low:.1f} to {high:.1f})"


def markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write a table whose first row is its head."""
    head, *others = (f"| {' | '.join(row)} |" for row in rows)
    return [head, "|" + "---|" * len(rows[0]), *others]


def page(table: pd.DataFrame, accuracies: dict[str, float]) -> str:
    """Write what was done and found as Markdown."""

    def of(architecture: str, method: str) -> pd.DataFrame:
        chosen = (table["architecture"] == architecture) & (table["method"] == method)
        return table[chosen]

    changes = of("none", "changes")
    own = [["", "accuracy", *(printed(method) for method in METHODS)]]
    own += [
        [printed(name), f"{accuracies[name]:.2f}"]
        + [interval(by_subject(of(name, method), "units")) for method in METHODS]
        for name in NETWORKS
    ]
    where = [["", *(printed(part) for part in PARTS)]]
    sources = {"what expressions change": changes}
    for name in NETWORKS:
        for method in ("lrp", "occlusion"):
            short = "LRP" if method == "lrp" else method
            sources[f"{printed(name)}, {short}"] = of(name, method)
    where += [
        [name, *(f"{by_subject(found, part).mean():.1f}" for part in PARTS)]
        for name, found in sources.items()
    ]
    in_units = changes[changes["region"] == "units"].groupby("label", sort=False)["ratio"].mean()
    each = ", ".join(f"{name} {value:.1f}" for name, value in in_units.items())
    return "\n".join(
        [
            "# Where expressions show, and where networks look",
            "",
            "Written by `python tests/benchmarks/own_units.py`: drawn people in pictures of 48 x",
            "48 pixels, networks trained from scratch on 26 of them and tested on 20. Seeds are 1;",
            "no other was tried. Numbers are relevance over area: 1 is what the size of a region",
            "alone gives. Means over subjects, with 95 % intervals.",
            "",
            "## Relevance in the own Action Units",
            "",
            *markdown(own),
            "",
            "A heatmap of the pixels that an expression changes, the picture less the same picture",
            f"with the face at rest, has {interval(by_subject(changes, 'units'))} there:",
            f"{each}.",
            "",
            "## Relevance by part of the face",
            "",
            *markdown(where),
            "",
        ]
    )


def main() -> None:
    """Film, train, explain and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="for the films")
    parser.add_argument("--out", type=Path, required=True, help="page (.md)")
    given = parser.parse_args()
    given.out.write_text(page(*located(*films(given.folder))))


if __name__ == "__main__":
    main()
