"""Whether a study says of its data set what the adapter needs, and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from facebias.data import datasets
from facebias.data.datasets.drawn import bias
from facebias.study import Source, Study
from facebias.study.faults import suggest

# What is missing where an adapter needs a key of ``data``.
NEEDED = {
    "root": "the folder of the data set",
    "subjects": "the table of subjects",
    "sets": "the data sets by name, each with its adapter and root",
}


def faults(study: Study) -> Iterator[str]:
    """Yield what is wrong in the section ``data``, and in each of several data sets."""
    data = study.data
    if data.adapter == "drawn":
        for name in ("root", "manifest", "layout", "subjects"):
            if getattr(data, name) is not None:
                yield f"data.{name}: drawn people need none; remove it"
        if data.drawn is not None:
            yield from bias.check(data.drawn, study.labels.names)
    else:
        if data.drawn is not None:
            yield f"data.drawn: only for the adapter drawn, found {data.adapter}; remove it"
        yield from _source(data, "data")
    for name, source in (data.sets or {}).items():
        yield from _source(source, f"data.sets.{name}")
    for name in data.required:
        if name not in data.attributes:
            yield f"data.required: no attribute {name!r}{suggest(name, data.attributes)}"


def _source(source: Source, key: str) -> Iterator[str]:
    """Yield what one data set lacks, and what its adapter has no use for."""
    adapter = datasets.adapter(source.adapter)
    for name, meaning in NEEDED.items():
        if name in adapter.NEEDS and getattr(source, name) is None:
            yield f"{key}.{name}: missing, it is needed: {meaning}"
    for field in dataclasses.fields(Source):
        given = getattr(source, field.name)
        if given is not None and field.name not in ("adapter", "publishable", *adapter.TAKES):
            yield f"{key}.{field.name}: not for the adapter {source.adapter}; remove it"
    if getattr(source, "sets", None) is not None and "sets" not in adapter.TAKES:
        yield f"{key}.sets: only for the adapter combined, found {source.adapter}; remove it"
    if "layout" in adapter.TAKES:
        if (source.manifest is None) == (source.layout is None):
            found = "neither" if source.manifest is None else "both"
            yield f"{key}.manifest, {key}.layout: {found} given, expected one of the two"
        if source.layout is not None and source.subjects is None:
            yield f"{key}.subjects: missing, it is needed with {key}.layout: the table of subjects"
    options = source.ckplus
    if options is not None and options.last_frames is not None and options.samples == "sequences":
        yield f"{key}.ckplus.last_frames: only where frames are samples; remove it"
