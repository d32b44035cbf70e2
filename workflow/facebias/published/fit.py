"""Whether a study can be placed beside the published one that its configuration names."""

from __future__ import annotations

from collections.abc import Iterator

from facebias.published import papers
from facebias.study import Study
from facebias.study.faults import suggest


def misfits(study: Study) -> Iterator[str]:
    """Say why a study and the paper in ``study.published`` have nothing to compare, if so."""
    if study.published is None:
        return
    name = study.published
    if name not in papers.names():
        known = suggest(name, papers.names()) if papers.names() else "; replications has none"
        yield f"published: no such study {name!r}{known}"
        return
    paper = papers.paper(papers.FOLDER / name)
    if study.labels.kind != paper.kind:
        yield f"published: {name} has {paper.kind}, labels.kind is {study.labels.kind}"
        return
    if paper.labels and set(study.labels.evaluated) != set(paper.labels):
        found, wanted = ", ".join(study.labels.evaluated), ", ".join(paper.labels)
        yield f"published: {name} has the labels {wanted}; this study evaluates {found}"
    values = papers.values(papers.FOLDER / name / papers.PRINTED, paper)
    shared = {
        "architectures": (study.architectures, values["architecture"].unique()),
        "splits.train": (study.splits.train, values["train_split"].unique()),
    }
    if paper.kind == "classes":
        shared["evaluation.attributes"] = (study.evaluation.attributes, paper.pairs)
    else:
        shared["splits.test"] = (study.splits.test, paper.tests)
    for key, (ours, theirs) in shared.items():
        if not set(ours) & set(theirs):
            found = ", ".join(ours)
            yield f"published: {name} has none of {key} {found}{suggest(found, theirs)}"
