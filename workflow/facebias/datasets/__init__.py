"""Data sets: each yields people and samples; together they make the manifest.

``ADAPTERS`` is the registry. An adapter is a module with two functions:

``subjects(data, root)``
    One row per person: ``subject``, the recorded attributes, optionally ``publishable``.
``samples(data, labels, root)``
    One row per sample: ``sample``, ``subject``, ``path`` (relative to ``root``, or absolute),
    ``label`` (classes) or ``label_<unit>`` (units), and ``reason``: None, or in words why the
    sample cannot be used.

Everything after the manifest is blind to the data set. This package is imported when a study is
planned, so it needs nothing heavier than pandas.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import types
from pathlib import Path

import pandas as pd

from facebias import tables
from facebias.datasets.reasons import commonest
from facebias.study import Data, Labels, StudyError

ADAPTERS = {
    "drawn": "facebias.datasets.drawn_films",
    "pictures": "facebias.datasets.pictures",
    "videos": "facebias.datasets.videos",
}


def subjects(data: Data, root: Path | str | None) -> pd.DataFrame:
    """List the people of a data set and what is recorded about them.

    Parameters
    ----------
    data
        The configured data set.
    root
        Folder of the data set; the drawn people need none.

    Returns
    -------
    DataFrame
        ``tables.SUBJECTS``: ``subject``, then every attribute that the data set records.

    Raises
    ------
    StudyError
        If the data set as a whole cannot be read: says which file and what was expected.
    """
    frame = _adapter(data).subjects(data, root)
    return tables.check(frame, tables.SUBJECTS, source=f"subjects of {data.adapter}")


def manifest(
    data: Data, labels: Labels, root: Path | str | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List the samples of a data set, and those left out with the reason in words.

    Parameters
    ----------
    data
        The configured data set.
    labels
        What is predicted; a sample with any other label is left out.
    root
        Folder of the data set (for drawn people: of their films). Paths of the manifest start
        with it.

    Returns
    -------
    manifest
        ``tables.MANIFEST``, then ``label`` or ``label_<unit>``, then ``data.attributes``.
    excluded
        ``tables.EXCLUDED`` with stage ``manifest``, then ``data.attributes``.

    Raises
    ------
    StudyError
        If the data set as a whole cannot be read, or no sample is left.
    """
    adapter = _adapter(data)
    people = _people(data, subjects(data, root))
    samples = adapter.samples(data, labels, root)
    samples["path"] = [_under(root, path) for path in samples["path"]]
    samples["reason"] = [
        reason if isinstance(reason, str) else _about_subject(data, people, subject)
        for reason, subject in zip(samples["reason"], samples["subject"], strict=True)
    ]
    labelled = ["label"] if labels.kind == "classes" else [f"label_{name}" for name in labels.names]
    samples = samples.merge(people.reset_index(), on="subject", how="left", validate="many_to_one")
    fits = samples["reason"].isna()
    if not fits.any():
        raise StudyError(
            f"data: none of {len(samples)} samples can be used. Reasons:\n{commonest(samples)}"
        )
    identity = ["sample", "subject", "path"]
    kept = samples.loc[fits, [*identity, "publishable", *labelled, *data.attributes]]
    excluded = samples.loc[~fits].assign(stage="manifest")
    excluded = excluded[[*identity, "stage", "reason", *data.attributes]]
    return (
        tables.check(kept.reset_index(drop=True), tables.MANIFEST),
        tables.check(excluded.reset_index(drop=True), tables.EXCLUDED),
    )


def fingerprint(data: Data, labels: Labels, root: Path | str | None) -> str:
    """Digest the names and sizes of the files of a data set; they tell when to read it again.

    Contents are not read: a data set may hold terabytes. Drawn people need no fingerprint.
    """
    if data.drawn is not None:
        return ""
    digest = hashlib.sha256()
    for path in sorted(_adapter(data).samples(data, labels, root)["path"].dropna()):
        file = Path(_under(root, path))
        digest.update(f"{path} {file.stat().st_size if file.is_file() else 'missing'}\n".encode())
    return digest.hexdigest()


def close(found: str, known: list[str]) -> str:
    """Suggest close spellings of a name, and list what there is."""
    near = difflib.get_close_matches(found, known, n=2)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{hint}there is {', '.join(known) or 'nothing'}"


def _adapter(data: Data) -> types.ModuleType:
    if data.adapter not in ADAPTERS:
        raise StudyError(f"data.adapter: no {data.adapter!r}; {close(data.adapter, [*ADAPTERS])}")
    return importlib.import_module(ADAPTERS[data.adapter])


def _people(data: Data, frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the configured attributes and ``publishable``, indexed by subject."""
    for name in data.attributes:
        if name not in frame.columns:
            known = [column for column in frame.columns if column != "subject"]
            raise StudyError(
                f"data.attributes: the subjects have no {name!r}; {close(name, known)}"
            )
    if "publishable" not in frame.columns:
        frame = frame.assign(publishable=data.publishable)
    return frame.set_index("subject")[["publishable", *data.attributes]]


def _about_subject(data: Data, people: pd.DataFrame, subject: object) -> str | None:
    """Why no sample of ``subject`` can be used, or None."""
    if not isinstance(subject, str):
        return "no subject"
    if subject not in people.index:
        return f"unknown subject: {subject} has no row in the table of subjects"
    missing = [name for name in data.required if pd.isna(people.at[subject, name])]
    if missing:
        return f"no {' and no '.join(missing)}: of subject {subject}, and data.required asks for it"
    return None


def _under(root: Path | str | None, path: object) -> str | None:
    if not isinstance(path, str):
        return None
    return (Path(root or "") / path).as_posix()
