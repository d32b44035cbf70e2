"""The facts of a made-up study that its start page asks for."""

from __future__ import annotations

from study_tables import ARCHITECTURES, TESTS, TRAINS, labels

import scored
from facebias.study import plain


def settings(**changes: object) -> dict[str, object]:
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
