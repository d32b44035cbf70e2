"""A made-up study of relevance: explanations and their regions, without a network."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

import scored
from facebias import study, tables
from facebias.evaluation import relevance_stage
from facebias.explanation import alignment
from facebias.explanation.regions import REGIONS
from facebias.explanation.relevance_stage import MEASURES

LABELS = ("happiness", "surprise", "sadness")


def labels(kind="classes", names=LABELS):
    return study.Labels(kind=kind, names=names, fuse={}, subsample_fused=False, seed=1)


def evaluation(**changes):
    given = {
        "bins": {}, "min_subjects": 3, "min_subjects_per_label": 2, "weights": "samples",
        "confidence": 0.95, "interval": "expanded", "margins": {},
        "resamples": 400, "permutations": 999, "seed": 1, "attributes": ("gender",), "margin": 0.1,
        "primary": study.Primary(
            criterion="equalized_odds", definition="per_class_mean", attribute=None,
            train_split=None,
        ),
    }  # fmt: skip
    return study.Evaluation(**(given | changes))


def manifest(subjects=12, repetitions=2, names=LABELS):
    rows = [
        {
            "sample": f"p{person:02d}-{label}-{take}", "subject": f"p{person:02d}", "path": "x",
            "publishable": person % 3 > 0, "label": label,
            "gender": ("female", "male")[person % 2],
        }
        for person in range(subjects)
        for label in names
        for take in range(repetitions)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def explained(rows, *, architecture="vgg16", train_split="regular", hits=None, seed=0):
    """Explain the true label of every sample; ``hits`` says which are recognised."""
    random = np.random.default_rng(seed)
    hits = random.random(len(rows)) < 0.7 if hits is None else hits
    names = sorted(set(rows["label"]))
    wrong = [names[(names.index(label) + 1) % len(names)] for label in rows["label"]]
    table = rows[["sample", "subject", "label"]].assign(
        method="lrp", architecture=architecture, train_split=train_split, fold=0, seed=1,
        row=range(len(rows)), predicted=np.where(hits, rows["label"], wrong),
        explained=rows["label"], score=0.5, output=1.0, relevance=1.0, conserved=1.0,
    )  # fmt: skip
    return tables.check(table, tables.EXPLANATIONS)


def relevance(facts, *, seed=0, frames=3, **shares):
    """Return measures of every sample in every region; ``shares`` sets positive ones by region."""
    random = np.random.default_rng(seed)
    parts = []
    for region in REGIONS:
        table = facts[["method", *tables.MODEL, "sample", "subject"]].assign(
            region=region, landmarks="template"
        )
        for name in MEASURES:
            table[name] = random.random(len(facts))
        table["positive"] = shares.get(region, table["positive"])
        table["area"] = 0.25
        table["ratio"] = table["positive"] / table["area"]
        table["frames"] = [random.random(frames).tolist() for _ in range(len(facts))]
        boxes = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8] if region == "units" else []
        table["boxes"] = [boxes] * len(facts)
        parts.append(table)
    return tables.check(pd.concat(parts, ignore_index=True), tables.RELEVANCE)


@functools.cache
def compared():
    """Return means, judged gaps and correlations of two architectures and two train splits."""
    return tuple(table.copy() for table in _compared())


@functools.cache
def _compared():
    rows, settings = manifest(), evaluation(resamples=100)
    facts = [
        explained(rows, architecture=architecture, train_split=train_split, seed=seed)
        for seed, (architecture, train_split) in enumerate(
            (architecture, train_split)
            for architecture in ("vgg16", "cnn3d")
            for train_split in ("regular", "female")
        )
    ]
    means, gaps, joint = relevance_stage.compared(
        pd.concat([relevance(part, seed=seed) for seed, part in enumerate(facts)]),
        pd.concat(facts), rows, labels=labels(), evaluation=settings,
    )  # fmt: skip
    named = tuple(gaps["architecture"].unique())
    asked = scored.question("regular", "female")
    return means, relevance_stage.judged(gaps, settings, (asked,), named, "lrp"), joint


def maps(seed=0):
    """Return what the figure of mean heatmaps reads: ten people, with one label missing in men."""
    rows = manifest()
    pairs = rows[(rows["gender"] == "female") | (rows["label"] != "sadness")]
    return {"maps": on_one_face(pairs, seed=seed), "manifest": rows}


def on_one_face(rows, *, seed=0):
    """Return a map for every subject and label, on the drawn face."""
    random = np.random.default_rng(seed)
    pairs = rows[["subject", "label"]].drop_duplicates()
    side = alignment.SIDE
    return {
        "subject": pairs["subject"].to_numpy(dtype=str),
        "label": pairs["label"].to_numpy(dtype=str),
        "n_samples": np.full(len(pairs), 2),
        "relevance": random.normal(size=(len(pairs), side, side)).astype(np.float32),
        "landmarks": alignment.template_on_grid(),
        "boxes": np.full(len(pairs), "20 10 26 16 38 10 44 16"),
    }


def strips():
    """Return what the figure over time reads."""
    rows = manifest()
    models = {
        f"{name}/regular/fold-0/seed-1": relevance(explained(rows, architecture=name), seed=seed)
        for seed, name in enumerate(("vgg16", "cnn3d"))
    }
    return models | {"manifest": rows}


def judged(facts, where, people, **changes):
    settings = evaluation(**changes)
    means, gaps, joint = relevance_stage.compared(
        where, facts, people, labels=labels(), evaluation=settings
    )
    named = tuple(facts["architecture"].unique())
    return (
        means,
        relevance_stage.judged(gaps, settings, (scored.question("regular"),), named, "lrp"),
        joint,
    )


def row(table, **wanted):
    chosen = table[np.all([table[name] == value for name, value in wanted.items()], axis=0)]
    assert len(chosen) == 1, f"{len(chosen)} rows"
    return chosen.iloc[0]
