"""LaTeX tables: escaping, values with intervals, booktabs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from facebias.core.vocabulary import printed
from facebias.tables.verdicts import FOUND

MISSING = "--"
PARTS = ("value", "ci_low", "ci_high", "verdict")
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def escaped(text: object) -> str:
    """Write text so that LaTeX prints it as it is."""
    return "".join(_SPECIAL.get(letter, letter) for letter in str(text))


def value(number: float, low: float, high: float, *, found: bool = False) -> str:
    r"""Write a number with its interval, a star if it is ``found``; ``--`` where there is none.

    >>> value(0.5, 0.25, 0.75)
    '$0.50$ {\\scriptsize $[0.25, 0.75]$}'
    """
    if not np.isfinite(number):
        return MISSING
    if not (np.isfinite(low) and np.isfinite(high)):
        return f"${_fixed(number)}{'^{*}' * found}$"
    return rf"${_fixed(number)}{'^{*}' * found}$ {{\scriptsize $[{_fixed(low)}, {_fixed(high)}]$}}"


def setting(number: float, *_: float, found: bool = False) -> str:
    r"""Write a number that was set, not measured, with all its digits; it has no interval.

    >>> setting(0.005), setting(1e-6), setting(8e-4)
    ('$0.005$', '$1 \\cdot 10^{-6}$', '$0.0008$')
    """
    if not np.isfinite(number):
        return MISSING
    digits, _, power = f"{number:.6g}".partition("e")
    return rf"${digits} \cdot 10^{{{int(power)}}}$" if power else f"${digits}$"


def _fixed(number: float) -> str:
    text = f"{number:.2f}"
    return "0.00" if text == "-0.00" else text


def spread(
    rows: pd.DataFrame,
    *,
    index: Sequence[str],
    column: str,
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Spread a tidy table: a row per ``index``, three or four columns per value of ``column``.

    ``rows`` has ``ci_low``, ``ci_high``, ``estimate`` or ``value``, perhaps ``verdict``. The result
    keeps the order of first appearance, level by level; its columns have two levels (value of
    ``column``, part).
    """
    number = "estimate" if "estimate" in rows.columns else "value"
    rows = rows.rename(columns={number: "value"})
    order = list(columns if columns is not None else rows[column].unique())
    places = [{name: i for i, name in enumerate(rows[level].unique())} for level in index]
    keys = sorted(
        set(rows[list(index)].itertuples(index=False, name=None)),
        key=lambda key: [place[name] for place, name in zip(places, key, strict=True)],
    )
    parts = [name for name in PARTS if name in rows.columns]
    wide = rows.pivot(index=list(index), columns=column, values=parts)
    wide = wide.swaplevel(axis=1).reindex(columns=pd.MultiIndex.from_product([order, parts]))
    return wide.loc[[key if len(index) > 1 else key[0] for key in keys]]


@dataclasses.dataclass(frozen=True)
class Printed:
    """One table for print. ``body`` comes from ``spread``; ``write`` writes one of its numbers."""

    caption: str
    label: str
    body: pd.DataFrame
    write: Callable[..., str] = value

    def tex(self) -> str:
        """Write a ``table*`` environment; it needs ``\\usepackage{booktabs}``."""
        keys = list(self.body.index.names)
        names = list(self.body.columns.unique(level=0))
        head = [*(_head(name) for name in keys), *(_head(name) for name in names)]
        lines = [
            r"\begin{table*}",
            r"\centering\small",
            rf"\caption{{{escaped(self.caption)}}}",
            rf"\label{{{_label(self.label)}}}",
            rf"\begin{{tabular}}{{@{{}}{'l' * len(keys)}{'l' * len(names)}@{{}}}}",
            r"\toprule",
            " & ".join(head) + r" \\",
            r"\midrule",
        ]
        before: tuple[object, ...] = ()
        for key, cells in self.body.iterrows():
            place = key if isinstance(key, tuple) else (key,)
            if before and place[:-1] != before[:-1]:
                lines.append(r"\addlinespace")
            words = [
                "" if place[:level] == before[:level] else escaped(printed(name))
                for level, name in enumerate(place[:-1], start=1)
            ]
            words.append(escaped(printed(place[-1])))
            words += [
                self.write(
                    *cells[name].reindex(PARTS[:3]), found=cells[name].get("verdict") == FOUND
                )
                for name in names
            ]
            lines.append(" & ".join(words) + r" \\")
            before = place
        lines += [r"\bottomrule", r"\end{tabular}", r"\end{table*}", ""]
        return "\n".join(lines)

    def wide(self) -> pd.DataFrame:
        """Return the same numbers flat: ``table`` (the label), the keys, a column per part."""
        flat = self.body.copy()
        flat.columns = [
            str(name) if part == "value" else f"{name}_{part}" for name, part in flat.columns
        ]
        flat = flat.reset_index()
        flat.insert(0, "table", self.label.removeprefix("tab:"))
        return flat


def _head(name: str) -> str:
    words = printed(name)
    return escaped(words[:1].upper() + words[1:])


def _label(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in ":-." else "-" for letter in text)
