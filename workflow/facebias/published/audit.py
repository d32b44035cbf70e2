"""What printed rates imply about each other, and where they disagree."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pandas as pd

from facebias import tables
from facebias.core.vocabulary import printed
from facebias.published import contracts, recovery
from facebias.published.papers import Paper
from facebias.published.recovery import ACCURACY, FPR, METRICS, TPR

OVERALL = "overall"
MULTIPLE, CELL, TOTALS, GROUPS, ONE_DRAW = "multiple", "cell", "totals", "groups", "groups_one_draw"
# What each rule says. The last holds only if the same samples of the class that was cut down were
# drawn for the whole test set and for its groups; the others hold whatever was drawn.
RULES = {
    MULTIPLE: "a rate is a whole number of samples over the samples that enter it",
    CELL: "the accuracy of a label follows from its true and false positive rate",
    TOTALS: "every sample gets one label, so false positives of all labels are false negatives",
    GROUPS: "the whole test set is the mean of its groups, in rates that no draw of samples enters",
    ONE_DRAW: "the same in rates that depend on which samples of the fused label were drawn",
}


@dataclasses.dataclass(frozen=True)
class Finding:
    """A broken rule: places of test set, label (None: all) and metric, and the rate implied.

    ``multiple`` implies nothing beyond the number itself: NaN.
    """

    rule: str
    test: int
    label: int | None
    metric: int
    implied: float


def audit(values: pd.DataFrame, paper: Paper) -> pd.DataFrame:
    """List every printed number that disagrees with what others imply.

    Parameters
    ----------
    values
        From ``papers.values``.
    paper
        The paper that printed them.

    Returns
    -------
    A ``contracts.AUDIT`` table. ``implied`` is what the rule gives from the other numbers: for
    ``multiple`` the nearest possible rate, for ``cell`` the accuracy, for ``totals`` the mean
    false positive rate (label ``overall``), for the groups the rate of the whole test set.
    ``note`` names the single number whose change would settle everything but
    ``groups_one_draw``.
    """
    frame = recovery.counted(values, paper)
    models, counts, entering = recovery.arrays(frame, paper)
    cells = frame.set_index(["architecture", "train_split", "test_split", "label", "metric"])
    rows = []
    for model, own in zip(models.itertuples(index=False, name=None), counts, strict=True):
        findings = list(broken(own, entering, paper))
        notes = ""
        if any(finding.rule != ONE_DRAW for finding in findings):
            notes = _remedy(own, entering, paper)
        for finding in findings:
            row = _row(finding, model, paper, cells)
            rows.append({**row, "note": None if finding.rule == ONE_DRAW else notes})
    return tables.check(pd.DataFrame(rows, columns=list(contracts.AUDIT.columns)), contracts.AUDIT)


def broken(counts: np.ndarray, entering: np.ndarray, paper: Paper) -> Iterator[Finding]:
    """Find the broken rules of one model.

    Parameters
    ----------
    counts, entering
        (T, L, 3) of one model from ``recovery.arrays``; a missing count breaks ``multiple`` and
        is left out of the other rules.
    paper
        Names the test sets and labels.
    """
    for place in np.argwhere(np.isnan(counts)):
        yield Finding(MULTIPLE, *map(int, place), np.nan)
    implied = counts[..., TPR] + entering[..., FPR] - counts[..., FPR]
    for test, label in _differing(counts[..., ACCURACY], implied):
        rate = implied[test, label] / entering[test, label, ACCURACY]
        yield Finding(CELL, test, label, ACCURACY, rate)
    false = (entering[..., TPR] - counts[..., TPR]).sum(axis=1)
    for (test,) in _differing(counts[..., FPR].sum(axis=1), false):
        yield Finding(TOTALS, test, None, FPR, false[test] / entering[test, :, FPR].sum())
    if paper.whole is not None:
        whole = list(paper.tests).index(paper.whole)
        implied = np.delete(counts, whole, axis=0).sum(axis=0)
        for label, metric in _differing(counts[whole], implied):
            rule = ONE_DRAW if _drawn(paper, label, metric) else GROUPS
            rate = implied[label, metric] / entering[whole, label, metric]
            yield Finding(rule, whole, label, metric, rate)


def _differing(a: np.ndarray, b: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(map(int, place)) for place in np.argwhere(np.abs(a - b) > recovery.EXACT)]


def _drawn(paper: Paper, label: int, metric: int) -> bool:
    """Tell whether samples of the class that was cut down enter a rate."""
    if paper.redrawn is None:
        return False
    own = paper.labels[label] == paper.redrawn
    return metric == ACCURACY or (metric == TPR) == own


def _remedy(counts: np.ndarray, entering: np.ndarray, paper: Paper) -> str:
    """Say which one number, changed, leaves no rule broken that holds whatever was drawn."""
    found = []
    for place in np.ndindex(counts.shape):
        for other in range(int(entering[place]) + 1):
            changed = counts.copy()
            changed[place] = other
            rules = (finding.rule for finding in broken(changed, entering, paper))
            if other != counts[place] and all(rule == ONE_DRAW for rule in rules):
                found.append((place, other / entering[place]))
    if len(found) != 1:
        return "no single number, changed, settles this" if not found else "several could be wrong"
    (test, label, metric), rate = found[0]
    what = (
        f"{printed(METRICS[metric])} of {paper.labels[label]}, test set {list(paper.tests)[test]}"
    )
    return f"{rate:.3g} as {what}, settles every rule"


def _row(
    finding: Finding, model: tuple[str, str], paper: Paper, cells: pd.DataFrame
) -> dict[str, object]:
    test, metric = list(paper.tests)[finding.test], METRICS[finding.metric]
    labels = paper.labels if finding.label is None else (paper.labels[finding.label],)
    cells = cells.loc[[(*model, test, label, metric) for label in labels]]
    value, implied = cells["printed"].mean(), finding.implied
    if finding.rule == MULTIPLE:
        implied = round(value * cells["entering"].iloc[0]) / cells["entering"].iloc[0]
    return {
        "paper_table": cells["paper_table"].iloc[0],
        "architecture": model[0],
        "train_split": model[1],
        "test_split": test,
        "label": OVERALL if finding.label is None else labels[0],
        "metric": metric,
        "printed": value,
        "implied": implied,
        "rule": finding.rule,
    }
