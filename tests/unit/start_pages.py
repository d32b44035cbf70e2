"""The start page of a made-up study: the facts that it asks for, and the page itself."""

from __future__ import annotations

import json
import re
from html import unescape

import diagnosed
import pandas as pd
import study_tables as made
from study_tables import ARCHITECTURES, TESTS, TRAINS, labels

import scored
from facebias import tables
from facebias.presentation.report import start_page
from facebias.study import plain


def study_settings(**changes: object) -> dict[str, object]:
    """Return them as plain values."""
    drawn = {
        "subjects": 36,
        "repetitions": 2,
        "seed": 7,
        "size": 160,
        "frames": 24,
        "fps": 24,
        "shards": 8,
    }
    weaker = {
        "kind": "weaker",
        "group": {"gender": "female"},
        "labels": ["sadness", "anger", "disgust", "contempt"],
        "factor": 0.4,
    }
    given = {
        "study": "demo",
        "title": "Drawn faces with a planted bias",
        "data": {
            "adapter": "drawn",
            "root": None,
            "manifest": None,
            "layout": None,
            "subjects": None,
            "attributes": ["gender", "skin", "age"],
            "required": ["gender"],
            "max_excluded": 0.2,
            "publishable": True,
            "drawn": {**drawn, "bias": [weaker]},
        },
        "labels": {
            "kind": "classes",
            "names": list(labels().names),
            "fuse": {"upset": ["anger", "disgust", "contempt"]},
            "subsample_fused": True,
            "seed": 1,
        },
        "evaluation": plain(scored.EVALUATION),
        "seeds": [1],
        "folds": 1,
        "architectures": list(ARCHITECTURES),
        "train_splits": list(TRAINS),
        "test_splits": list(TESTS),
        "matched": {},
        "questions": [plain(scored.question(*TRAINS))],
    }
    return {**given, **changes}


def write_tables(folder, **changes):
    every = {
        "metrics": (made.metrics(), tables.METRICS),
        "by-group": (made.by_group(changes.get("metrics")), tables.METRICS_BY_GROUP),
        "fairness": (made.fairness(), tables.FAIRNESS),
        "exclusions": (made.exclusions(), tables.EXCLUSIONS),
        "excluded": (pd.DataFrame(columns=list(tables.EXCLUDED.columns)), tables.EXCLUDED),
        "splits": (made.splits(), tables.SPLITS),
        "manifest": (made.manifest(), tables.MANIFEST),
        "effects": (made.effects(), tables.EFFECTS),
        "confounds": (diagnosed.confound_table(), tables.CONFOUNDS),
    }
    arguments = []
    for name, (table, contract) in every.items():
        path = folder / f"{name}.csv"
        tables.write(changes.get(name, table), path, contract)
        arguments += [f"--{name}", str(path)]
    return arguments


def page(folder, *, settings=None, **changes):
    arguments = write_tables(folder, **changes)
    out = folder / "start_page.html"
    text = json.dumps(settings or study_settings())
    start_page.main(["--settings", text, *arguments, "--out", str(out)])
    return out.read_text(encoding="utf-8")


def words(html):
    text = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def with_data(**changes):
    settings = study_settings()
    settings["data"] = {**settings["data"], **changes}
    return settings


def planted(*entries):
    drawn = {**study_settings()["data"]["drawn"], "bias": list(entries)}
    return with_data(drawn=drawn)
