"""The stage ``index``: gather the clips of all shards and count what was left out, by group.

A detector that misses one group more often is itself a finding, so every sample that is left out is
counted for the groups of its subject.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from facebias import tables
from facebias.stages.data import Index
from facebias.study import StudyError
from facebias.tables.reasons import commonest, kinds

NOT_RECORDED = "not recorded"
# A number with more values than this is a measure such as age; it makes no groups.
MOST_GROUPS = 12


def main(arguments: list[str]) -> None:
    """Write the index of all clips, the samples left out and their counts.

    Raises
    ------
    StudyError
        If a sample has no row in any shard, or more than ``data.max_excluded`` are left out.
    """
    given = Index.of(arguments)
    data = given.settings.data
    manifest = tables.read(given.manifest, tables.MANIFEST)
    earlier = tables.read(given.excluded, tables.EXCLUDED)
    clips = join_shards(manifest, given.shards)
    excluded = left_out(manifest, earlier, clips, data.attributes)
    tables.write(excluded, given.excluded_out, tables.EXCLUDED)
    usable = manifest[manifest["sample"].isin(clips.loc[clips["row"] >= 0, "sample"])]
    tables.write(summary(usable, excluded, data.attributes), given.summary, tables.EXCLUSIONS)
    check_share(excluded, len(manifest) + len(earlier), data.max_excluded, given.excluded_out)
    tables.write(clips, given.out, tables.CLIPS)
    print(f"index: {len(usable)} clips, {len(excluded)} samples left out")


def join_shards(manifest: pd.DataFrame, shards: Sequence[Path | str]) -> pd.DataFrame:
    """Put the indices of the shards together, in the order of the manifest.

    Raises
    ------
    StudyError
        If a sample of the manifest is in no shard, or a shard knows another.
    """
    clips = tables.gather(list(shards), tables.CLIPS)
    absent = set(manifest["sample"]) ^ set(clips["sample"])
    if absent:
        raise StudyError(
            f"clips: {len(absent)} samples stand in only one of manifest and shards, such as "
            f"{min(absent)!r}; the shards are of another manifest: run the target clips again"
        )
    return clips.set_index("sample").loc[manifest["sample"]].reset_index()


def left_out(
    manifest: pd.DataFrame,
    earlier: pd.DataFrame,
    clips: pd.DataFrame,
    attributes: Sequence[str],
) -> pd.DataFrame:
    """List what the manifest and the extraction left out: ``tables.EXCLUDED`` and attributes."""
    lost = clips.loc[clips["row"] < 0, ["sample", "reason"]]
    lost = lost.merge(manifest, on="sample", how="left").assign(stage="extract")
    columns = [*tables.EXCLUDED.columns, *attributes]
    parts = [part[columns] for part in (earlier, lost) if len(part)]
    frame = pd.concat(parts, ignore_index=True) if parts else earlier[columns]
    return tables.check(frame, tables.EXCLUDED)


def summary(
    usable: pd.DataFrame, excluded: pd.DataFrame, attributes: Sequence[str]
) -> pd.DataFrame:
    """Count the samples left out, by group and kind of reason.

    Parameters
    ----------
    usable
        Rows of the manifest that have a clip.
    excluded
        ``tables.EXCLUDED`` of all stages.
    attributes
        Columns of both; a number with more than ``MOST_GROUPS`` values is passed over.

    Returns
    -------
    DataFrame
        ``tables.EXCLUSIONS``: ``n_samples`` of the group, ``n_excluded`` of them, ``share`` (0 to
        1). The reason ``any`` counts all; every kind of reason stands for every group, with 0 where
        it did not occur. Subjects without the attribute are the group ``not recorded``.
    """
    everyone = pd.concat([usable.assign(reason=None), excluded], ignore_index=True)
    # The columns of an empty table have no type, and numbers joined to them would lose theirs.
    everyone = everyone.infer_objects()
    kind = kinds(everyone["reason"].astype("str"))
    rows = []
    for attribute in attributes:
        groups = _groups(everyone[attribute])
        if groups is None:
            continue
        for group, members in kind.groupby(groups, sort=True):
            for reason in ["any", *sorted(kind.dropna().unique())]:
                hit = members.notna() if reason == "any" else members.eq(reason)
                rows.append((attribute, group, reason, len(members), int(hit.sum()), hit.mean()))
    frame = pd.DataFrame(rows, columns=[*tables.EXCLUSIONS.columns])
    return tables.check(frame, tables.EXCLUSIONS)


def check_share(excluded: pd.DataFrame, n_samples: int, limit: float, path: Path | str) -> None:
    """Stop a study that leaves out too much.

    Raises
    ------
    StudyError
        If more than the share ``limit`` of ``n_samples`` is left out. The message holds the most
        frequent reasons itself, because Snakemake deletes the outputs of a failed job.
    """
    share = len(excluded) / n_samples
    if share <= limit:
        return
    raise StudyError(
        f"data.max_excluded: {len(excluded)} of {n_samples} samples ({share:.0%}) are left out, "
        f"the limit is {limit:.0%}. Most frequent reasons:\n"
        f"{commonest(excluded)}\n"
        f"Mend the data or the settings under clips, or raise data.max_excluded. "
        f"All are listed in {path} (unless the workflow removed it)."
    )


def _groups(values: pd.Series) -> pd.Series | None:
    """Name the group of every sample, or None if the attribute makes none."""
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > MOST_GROUPS:
        return None
    names = values.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))
    return names.where(values.notna(), NOT_RECORDED)
