"""The record of a study: everything that made its results, in one readable JSON file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from facebias.core import provenance
from facebias.core.replacement import replacing
from facebias.data.cohort import Model
from facebias.presentation.record import layout, times
from facebias.study import Study, StudyError

DETERMINISM = {
    True: "deterministic algorithms: the same bits on every run on one machine",
    False: "fastest algorithms: runs differ in the last bits",
}
TRAINED = (
    *("parameters", "pretrained", "device", "precision", "float32", "samples"),
    *("code", "lock", "python", "platform"),
)


def names(study: Study) -> dict[str, Sequence[object]]:
    """Return the values of the wildcards of a study, for ``layout``."""
    return {
        "architecture": list(study.architectures),
        "variant": list(dict.fromkeys(one.ending for one in study.architectures.values())),
        "train_split": list(study.splits.train),
        "test_split": list(study.splits.test),
        "attribute": list(study.evaluation.attributes),
        "fold": list(range(study.splits.n_folds)),
        "seed": list(study.seeds),
    }


def models(pattern: str, named: layout.Names) -> list[dict[str, Any]]:
    """Read what training wrote about every model of a study.

    Parameters
    ----------
    pattern
        Of the files ``provenance.json``, with the wildcards of a model.
    named
        Values of the wildcards.

    Raises
    ------
    StudyError
        Naming the file that belongs to another model or lacks a key.
    """
    found = []
    for path in layout.expanded(pattern, named):
        facts = json.loads(Path(path).read_text(encoding="utf-8"))
        lacking = [name for name in (*times.MODEL, *TRAINED, "versions") if name not in facts]
        if lacking:
            raise StudyError(
                f"{path}: no {', '.join(lacking)}; written by an older version: train again "
                f"(snakemake --forcerun train_model)"
            )
        if path != pattern.format(**facts):
            raise StudyError(
                f"{path}: is about {', '.join(f'{name} {facts[name]}' for name in times.MODEL)}; "
                "expected the model of its folder: train again (snakemake --forcerun train_model)"
            )
        found.append(facts)
    return found


def seeds(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every seed of a configuration with its key, such as ``data.drawn.seed``."""
    for key, value in config.items():
        if key in ("seed", "seeds"):
            yield f"{prefix}{key}", value
        elif isinstance(value, Mapping):
            yield from seeds(value, f"{prefix}{key}.")


def record(
    study: Study,
    config: Mapping[str, Any],
    *,
    trained: Sequence[Mapping[str, Any]],
    manifest: pd.DataFrame,
    excluded: pd.DataFrame,
    measured: Sequence[times.Job],
    digests: Mapping[str, Mapping[str, str]],
    patterns: Sequence[str],
    files: str,
) -> dict[str, Any]:
    """Put together what made the results of a study.

    Parameters
    ----------
    study, config
        The study, and its resolved configuration as plain values.
    trained
        From ``models``.
    manifest, excluded
        The samples used and left out.
    measured
        From ``times.jobs``.
    digests
        SHA-256 by path, for ``data``, for ``results`` and for every architecture.
    patterns
        Of the files of a model, with its wildcards.
    files
        Digest of the names and sizes of the data set's files (``datasets.fingerprint``).

    Returns
    -------
    Plain values, in the order in which a person reads them.
    """
    on_gpu = [Model(*(facts[name] for name in times.MODEL)) for facts in trained if _on_gpu(facts)]
    stages = times.by_stage(measured, on_gpu)
    start, end = times.span(measured) or (None, None)
    return {
        "study": study.study,
        "title": study.title,
        "start": start,
        "end": end,
        "software": provenance.software(),
        "time": {
            **times.summary(stages),
            "stages": json.loads(stages.round(2).to_json(orient="records")),
        },
        "seeds": dict(seeds(config)),
        "data": {
            "adapter": study.data.adapter,
            "names_and_sizes": files or None,
            "subjects": int(manifest["subject"].nunique()),
            "samples": len(manifest),
            "left_out": len(excluded),
            "sha256": dict(digests["data"]),
        },
        "models": [_model(facts, digests[facts["architecture"]], patterns) for facts in trained],
        "results": {"sha256": dict(digests["results"])},
        "config": config,
    }


def _on_gpu(facts: Mapping[str, Any]) -> bool:
    return facts["device"] != "cpu"


def _model(
    facts: Mapping[str, Any], digests: Mapping[str, str], patterns: Sequence[str]
) -> dict[str, Any]:
    training = json.loads(facts["settings"])["architecture"]["training"]
    paths = [pattern.format(**facts) for pattern in patterns]
    return {
        **{name: facts[name] for name in (*times.MODEL, *TRAINED)},
        "determinism": DETERMINISM[training["deterministic"]],
        "torch": facts["versions"]["torch"],
        "sha256": {path: digests[path] for path in paths},
    }


def write(made: Mapping[str, Any], path: Path) -> None:
    """Write a record as JSON."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
