"""Which explained samples a heatmap figure shows: picked by rule, never by hand."""

from __future__ import annotations

import pandas as pd

from facebias.core.vocabulary import printed
from facebias.evaluation.outcomes import ANY, outcomes
from facebias.evaluation.outcomes import OUTCOMES as SELECTIONS
from facebias.presentation.figures.request import FigureError, Request, in_order
from facebias.study import Labels

PER_GROUP = "3"
OUTCOMES = tuple(name for name in SELECTIONS if name != ANY)
RIGHT, WRONG = "\u2713", "\u2717"


def with_groups(
    explanations: pd.DataFrame, manifest: pd.DataFrame, attribute: str, labels: Labels
) -> pd.DataFrame:
    """Add ``group`` (of the subject), ``publishable`` and ``outcome`` (``evaluation.outcomes``).

    Raises
    ------
    FigureError
        If the manifest lacks the attribute or one of the samples.
    """
    if attribute not in manifest.columns:
        raise FigureError(
            f"--select attribute={attribute}: no such column in the manifest; "
            f"it has {', '.join(manifest.columns)}"
        )
    facts = manifest.set_index("sample")[["publishable", attribute]]
    unknown = [name for name in explanations["sample"] if name not in facts.index]
    if unknown:
        raise FigureError(f"explained sample {unknown[0]} is not in the manifest")
    facts = facts.rename(columns={attribute: "group"}).reindex(explanations["sample"])
    return outcomes(explanations, manifest, labels).assign(
        publishable=facts["publishable"].to_numpy(dtype=bool),
        group=facts["group"].fillna("not recorded").astype(str).to_numpy(),
    )


def pick(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Keep the samples that a figure shows, per group and column.

    Of classes a column is a true label, and the samples are the best, the worst and those evenly
    between by score: ``--select per_group=N`` says how many (default 3). A high score is good where
    the true label is explained; where another is, it is a confident error. Of units a column is an
    explained unit, and the samples are one of each outcome, the one in the middle by score.

    Returns
    -------
    The chosen rows with ``column``, ``rank`` (of a unit the outcome) and ``right``: whether the
    tables count the prediction as right, where fused classes are one.

    Raises
    ------
    FigureError
        If there is nothing to choose from.
    """
    of_units = request.labels.kind == "units"
    frame = _of_units(frame) if of_units else _of_classes(frame, request.labels)
    frame = frame.dropna(subset=["merit", "column"])
    if frame.empty:
        raise FigureError("no explained sample has its label and a score; nothing can be shown")
    order = [name for name in request.labels.names if name in set(frame["column"])]
    order += [name for name in in_order(frame["column"]) if name not in order]
    n = int(request.select.get("per_group", PER_GROUP))
    parts = []
    for group in sorted(in_order(frame["group"])):
        for column in order:
            rows = frame[(frame["group"] == group) & (frame["column"] == column)]
            rows = rows.sort_values(["merit", "sample"], ascending=[False, True])
            parts.append(_one_of_each_outcome(rows) if of_units else _evenly(rows, n))
    return pd.concat(parts, ignore_index=True).drop(columns="merit")


def _of_classes(frame: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    own = frame["explained"] == frame["label"]
    said, true = (frame[name].map(labels.evaluated_as) for name in ("predicted", "label"))
    return frame.assign(
        column=frame["label"],
        right=said == true,
        merit=frame["score"].where(own, -frame["score"]),
    )


def _of_units(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.dropna(subset="outcome")
    right = frame["outcome"].isin(["hit", "correct rejection"])
    return frame.assign(column=frame["explained"], right=right, merit=frame["score"])


def _evenly(rows: pd.DataFrame, n: int) -> pd.DataFrame:
    """Keep ``n`` rows from the first to the last."""
    names = ranks(min(n, len(rows)))
    places = [round(i * (len(rows) - 1) / max(len(names) - 1, 1)) for i in range(len(names))]
    return rows.iloc[places].assign(rank=names)


def _one_of_each_outcome(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the row in the middle of each outcome."""
    having = [rows[rows["outcome"] == name] for name in OUTCOMES]
    kept = [part.iloc[[len(part) // 2]] for part in having if len(part)]
    chosen = pd.concat(kept) if kept else rows
    return chosen.assign(rank=chosen["outcome"])


def ranks(n: int) -> list[str]:
    """Name ``n`` places from best to worst.

    >>> ranks(3), ranks(4)
    (['best', 'median', 'worst'], ['best', '67 %', '33 %', 'worst'])
    """
    shares = [1 - i / max(n - 1, 1) for i in range(n)]
    names = {1.0: "best", 0.5: "median", 0.0: "worst"}
    return [names.get(share, f"{100 * share:.0f} %") for share in shares]


def ticks(labels: Labels) -> str:
    """Say what the marks beside predictions mean."""
    fused = [
        f"{', '.join(map(printed, members))} count as {printed(name)}"
        for name, members in labels.fuse.items()
    ]
    where = f": {'; '.join(fused)}" if fused else ""
    return f"{RIGHT} right, {WRONG} wrong, as the tables count{where}."
