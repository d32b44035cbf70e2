"""Data sets: each yields people and samples; together they make the manifest.

``ADAPTERS`` is the registry. An adapter is a module with

``TAKES``, ``NEEDS``
    The keys of ``data`` that it uses, and those of them that it cannot do without.
``subjects(data, root)``
    One row per person: ``subject``, the recorded attributes, optionally ``publishable``.
``samples(data, labels, root)``
    One row per sample: ``sample``, ``subject``, ``path`` (relative to ``root``, or absolute),
    ``label`` (classes) or ``label_<unit>`` (units: 1, 0 or missing), and ``reason``: None, or in
    words why the sample cannot be used. Further columns are recorded in the manifest.
``given_landmarks(data, root)``
    Optional: the landmarks that the data set ships.

Everything after the manifest is blind to the data set. This package is imported when a study is
planned, so it needs nothing heavier than pandas.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import stat
import types
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from facebias import tables
from facebias.data.datasets.landmarks import Given
from facebias.study import Data, Labels, Source, StudyError
from facebias.tables.reasons import NOT_STUDIED, commonest

ADAPTERS = {
    "drawn": "facebias.data.datasets.drawn_films",
    "pictures": "facebias.data.datasets.pictures",
    "videos": "facebias.data.datasets.videos",
    "sase_fe": "facebias.data.datasets.sase_fe",
    "ckplus": "facebias.data.datasets.ckplus",
    "actor_study": "facebias.data.datasets.actor_study",
    "ravdess": "facebias.data.datasets.ravdess",
    "crema_d": "facebias.data.datasets.crema_d",
    "combined": "facebias.data.datasets.combined",
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
    frame = adapter(data.adapter).subjects(data, root)
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
        What is predicted; a sample with any other label is no part of the study.
    root
        Folder of the data set (for drawn people: of their films). Paths of the manifest start
        with it.

    Returns
    -------
    manifest
        ``tables.MANIFEST``, then ``label`` or ``label_<unit>``, then ``data.attributes``, then
        what the data set records of a sample alone.
    excluded
        ``tables.EXCLUDED`` with stage ``manifest``, then ``data.attributes``.

    Raises
    ------
    StudyError
        If the data set as a whole cannot be read, a label stands for none of its samples, or no
        sample is left.
    """
    people = _people(data, subjects(data, root))
    samples = adapter(data.adapter).samples(data, labels, root)
    samples["path"] = under(root, samples["path"])
    samples["reason"] = [
        reason if isinstance(reason, str) else _about_subject(data, people, subject)
        for reason, subject in zip(samples["reason"], samples["subject"], strict=True)
    ]
    labelled = ["label"] if labels.kind == "classes" else [f"label_{name}" for name in labels.names]
    told = {"sample", "subject", "path", "reason", "label", *labelled, *people.columns}
    recorded = [name for name in samples.columns if name not in told]
    samples = samples.drop(columns=[name for name in people.columns if name in samples.columns])
    samples = samples.merge(people.reset_index(), on="subject", how="left", validate="many_to_one")
    fits = samples["reason"].isna()
    if fits.any() or samples.empty:
        _all_occur(samples, labels)
    else:
        raise StudyError(
            f"data: none of {len(samples)} samples can be used. Reasons:\n{commonest(samples)}"
        )
    studied = samples["reason"].ne(NOT_STUDIED)
    identity = ["sample", "subject", "path"]
    kept = samples.loc[fits, [*identity, "publishable", *labelled, *data.attributes, *recorded]]
    excluded = samples.loc[~fits & studied].assign(stage="manifest")
    excluded = excluded[[*identity, "stage", "reason", *data.attributes]]
    return (
        tables.check(kept.reset_index(drop=True), tables.MANIFEST),
        tables.check(excluded.reset_index(drop=True), tables.EXCLUDED),
    )


def fingerprint(data: Data, labels: Labels, root: Path | str | None) -> str:
    """Digest what tells when to read a data set again: names and sizes of its files, and labels.

    The contents of videos and pictures are not read: a data set may hold terabytes. Drawn people
    need no fingerprint.
    """
    if data.adapter == "drawn":
        return ""
    samples = adapter(data.adapter).samples(data, labels, root)
    told = [name for name in samples.columns if name.startswith("label")]
    frame = samples.dropna(subset="path")[["path", *told]].sort_values("path", kind="stable")
    places = [path.partition(tables.FRAME)[0] for path in under(root, frame["path"])]
    sizes = {place: _sizes(Path(place)) for place in dict.fromkeys(places)}
    frame["sizes"] = [sizes[place] for place in places]
    hashes = pd.util.hash_pandas_object(frame, index=False)
    return hashlib.sha256(hashes.to_numpy().tobytes()).hexdigest()


def given_tables(data: Data, root: Path | str | None) -> list[str]:
    """List the tables that people wrote for a data set: what is read of them may change."""
    if data.sets is not None:
        combined = adapter(data.adapter)
        return [
            path for _, part in combined.parts(data, root) for path in given_tables(part, part.root)
        ]
    annotations = data.actor_study and data.actor_study.annotations
    names = (data.manifest, data.subjects, annotations)
    return [Path(root or "", name).as_posix() for name in names if name]


def modules(data: Data) -> list[str]:
    """Name the modules that read a data set, for the digests of the code."""
    sources = [data, *(data.sets or {}).values()]
    return list(dict.fromkeys(ADAPTERS[source.adapter] for source in sources))


def of_frames(source: Source) -> bool:
    """Tell whether all samples of a data set are single frames."""
    if isinstance(source, Data) and source.sets is not None:
        return all(of_frames(part) for part in source.sets.values())
    if source.ckplus is not None:
        return source.ckplus.samples == "frames"
    return source.adapter in ("pictures", "actor_study")


def has_landmarks(source: Source) -> bool:
    """Tell whether a data set may ship landmarks."""
    sources = source.sets.values() if isinstance(source, Data) and source.sets else [source]
    return any(part.ckplus is not None for part in sources)


def given_landmarks(data: Data, root: Path | str | None) -> Iterator[Given]:
    """Yield the landmarks that a data set ships for frames of its samples, if it does.

    Raises
    ------
    StudyError
        If a file of landmarks is none.
    """
    listed = getattr(adapter(data.adapter), "given_landmarks", None)
    return iter(()) if listed is None else listed(data, root)


def close(found: str, known: list[str]) -> str:
    """Suggest close spellings of a name, and list what there is."""
    near = difflib.get_close_matches(found, known, n=2)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{hint}there is {', '.join(known) or 'nothing'}"


def adapter(name: str) -> types.ModuleType:
    """Import the module of an adapter.

    Raises
    ------
    StudyError
        If there is none of that name.
    """
    if name not in ADAPTERS:
        raise StudyError(f"data.adapter: no {name!r}; {close(name, [*ADAPTERS])}")
    return importlib.import_module(ADAPTERS[name])


def _all_occur(samples: pd.DataFrame, labels: Labels) -> None:
    """Raise ``StudyError`` if no sample, usable or not, was annotated with one of the labels."""
    told = ["label"] if labels.kind == "classes" else [f"label_{name}" for name in labels.names]
    unknown = samples[samples["reason"].notna() & samples[told].isna().all(axis=1)]
    # A file that cannot be read may have held the label.
    beside = "" if unknown.empty else f". Of {len(unknown)} it is not known:\n{commonest(unknown)}"
    for name in labels.names:
        if labels.kind == "classes":
            known = sorted(samples["label"].dropna().unique())
            if name not in known:
                raise StudyError(
                    f"labels.names: no sample of the data set is {name!r}; "
                    f"{close(name, known)}{beside}"
                )
        elif samples[f"label_{name}"].isna().all():
            raise StudyError(
                f"labels.names: no sample of the data set is annotated for {name!r}; "
                f"remove it{beside}"
            )


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


def _sizes(path: Path) -> str:
    """Say how large a file is, or every file of a folder."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    if stat.S_ISDIR(found.st_mode):
        return " ".join(f"{file.name}:{_size(file)}" for file in sorted(path.iterdir()))
    return str(found.st_size)


def _size(file: Path) -> str:
    try:
        return str(file.stat().st_size)
    except FileNotFoundError:  # a link to nothing
        return "missing"


def under(root: Path | str | None, paths: pd.Series) -> list[str | None]:
    """Put a root before paths that are not absolute; what is no path is None."""
    base = Path(root or "").as_posix()
    before = "" if base == "." else f"{base.rstrip('/')}/"
    return [
        (path if path.startswith("/") else before + path) if isinstance(path, str) else None
        for path in paths
    ]
