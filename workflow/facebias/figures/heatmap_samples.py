"""Which explained samples a heatmap figure shows: picked by rule, never by hand."""

from __future__ import annotations

import pandas as pd

from facebias.figures.request import FigureError, Request, in_order

PER_GROUP = "3"


def with_groups(explanations: pd.DataFrame, manifest: pd.DataFrame, attribute: str) -> pd.DataFrame:
    """Add ``group`` (of the subject) and ``publishable`` to a ``tables.EXPLANATIONS`` table.

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
    return explanations.assign(
        publishable=facts["publishable"].to_numpy(dtype=bool),
        group=facts["group"].fillna("not recorded").astype(str).to_numpy(),
    )


def pick(frame: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Keep the best, the worst and those evenly between by score, per group and column.

    A column is a true label; for units it is an explained unit, and samples without it do not
    count. ``--select per_group=N`` says how many there are of each (default 3). A high score is
    good where the true label is explained; where another is, it is a confident error.

    Returns
    -------
    The chosen rows with ``column``, ``rank`` and ``right`` (whether the prediction is).

    Raises
    ------
    FigureError
        If there is nothing to choose from.
    """
    n = int(request.select.get("per_group", PER_GROUP))
    if request.labels.kind == "units":
        has, says = (
            [
                unit in _units(found)
                for unit, found in frame[["explained", name]].itertuples(index=False)
            ]
            for name in ("label", "predicted")
        )
        frame = frame.assign(column=frame["explained"], right=says, merit=frame["score"])[has]
    else:
        own = frame["explained"] == frame["label"]
        frame = frame.assign(
            column=frame["label"],
            right=frame["predicted"] == frame["label"],
            merit=frame["score"].where(own, -frame["score"]),
        )
    frame = frame.dropna(subset=["merit", "column"])
    if frame.empty:
        raise FigureError("no explained sample has its label and a score; nothing can be shown")
    order = [name for name in request.labels.names if name in set(frame["column"])]
    order += [name for name in in_order(frame["column"]) if name not in order]
    parts = []
    for group in sorted(in_order(frame["group"])):
        for column in order:
            rows = frame[(frame["group"] == group) & (frame["column"] == column)]
            rows = rows.sort_values(["merit", "sample"], ascending=[False, True])
            names = ranks(min(n, len(rows)))
            places = [
                round(i * (len(rows) - 1) / max(len(names) - 1, 1)) for i in range(len(names))
            ]
            parts.append(rows.iloc[places].assign(rank=names))
    return pd.concat(parts, ignore_index=True).drop(columns="merit")


def ranks(n: int) -> list[str]:
    """Name ``n`` places from best to worst.

    >>> ranks(3), ranks(4)
    (['best', 'median', 'worst'], ['best', '67 %', '33 %', 'worst'])
    """
    shares = [1 - i / max(n - 1, 1) for i in range(n)]
    names = {1.0: "best", 0.5: "median", 0.0: "worst"}
    return [names.get(share, f"{100 * share:.0f} %") for share in shares]


def _units(joined: object) -> set[str]:
    return set(joined.split("+")) if isinstance(joined, str) else set()
