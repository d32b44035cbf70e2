"""How often the demo's planted bias is found, and something in ``config/null.yaml``, by chance.

Each seed makes other people, splits them into training and test and trains another network, once
with the planted bias and once without. Hours of work: no part of ``make bench``. A study that is
there already is not made again::

    python tests/benchmarks/planted_bias.py --folder FOLDER --out docs/planted_bias.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import yaml
from scipy import stats

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "workflow"), str(ROOT / "workflow")]

import studies  # noqa: E402

from facebias import tables  # noqa: E402

ARCHITECTURE = "cnn3d"  # the cheapest of the demo's
KINDS = {"planted": "demo", "nothing planted": "null"}
# What a reader of the report goes by.
SIGNED = ("equal_opportunity", "signed")
PRIMARY = ("equalized_odds", "per_class_mean")


def configuration(kind: str, seed: int) -> dict:
    """Return the demo with or without its bias, for one architecture trained on everybody."""
    whole = yaml.safe_load((ROOT / "config" / f"{KINDS[kind]}.yaml").read_text())
    return studies.changed(
        whole,
        {
            "study": f"{KINDS[kind]}-{seed}",
            "data.drawn.seed": seed,
            "splits.seed": seed,
            "seeds": [seed],
            "architectures": {ARCHITECTURE: whole["architectures"][ARCHITECTURE]},
            "splits.train": {"regular": {}},
            "splits.test": {"all": {}},
            "explanation": {"architectures": []},
        },
    )


def gaps(folder: Path, kind: str, seed: int) -> pd.DataFrame:
    """Run one study in ``folder``; give its gaps between women and men."""
    own = folder / f"{KINDS[kind]}-{seed}"
    own.mkdir(parents=True, exist_ok=True)
    config = studies.write(configuration(kind, seed), own)
    made = own / "results" / own.name / "tables"
    targets = [str((made / name).relative_to(own)) for name in ("fairness.csv", "metrics.csv")]
    # Nobody else works in the folder: a lock is left from a run that was killed.
    done = studies.snakemake(own, config, "--rerun-incomplete", "--nolock", "--", *targets)
    if done.returncode:
        raise SystemExit(f"{own}: the study failed\n{done.stdout[-3000:]}")
    found = tables.read(made / "fairness.csv", tables.FAIRNESS)
    return found[found["attribute"] == "gender"].assign(kind=kind, seed=seed)


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """Count the studies that say there is a gap, with exact 95 % intervals."""

    def rows(criterion: str, definition: str) -> pd.DataFrame:
        return found[(found["criterion"] == criterion) & (found["definition"] == definition)]

    signed, primary = rows(*SIGNED), rows(*PRIMARY)
    questions = {
        "signed gap, interval below 0 (as planted)": signed.assign(yes=signed["ci_high"] < 0),
        "signed gap, interval above 0": signed.assign(yes=signed["ci_low"] > 0),
        "declared gap called found": primary.assign(yes=primary["verdict"] == "gap found"),
    }
    counted = []
    for (question, table), kind in ((pair, kind) for pair in questions.items() for kind in KINDS):
        yes = table.loc[table["kind"] == kind, "yes"]
        low, high = stats.binomtest(int(yes.sum()), len(yes)).proportion_ci()
        share = f"{yes.sum()} of {len(yes)}"
        counted.append((question, kind, f"{share} ({100 * low:.0f} to {100 * high:.0f} %)"))
    return pd.DataFrame(counted, columns=["question", "kind", "studies"]).pivot(
        index="question", columns="kind", values="studies"
    )[list(KINDS)]


def page(found: pd.DataFrame, accuracies: Sequence[float]) -> str:
    """Write what was done and found as Markdown."""
    table = summary(found).loc[lambda frame: list(dict.fromkeys(frame.index))]
    lines = ["|", "|---", *(f"| {name} " for name in table.index)]
    for kind in table.columns:
        cells = [f"| {kind} |", "|---|", *(f"| {cell} |" for cell in table[kind])]
        lines = [line + cell.removesuffix("|") for line, cell in zip(lines, cells, strict=True)]
    estimates = found[(found["criterion"] == SIGNED[0]) & (found["definition"] == SIGNED[1])]
    middle = estimates.groupby("kind")["estimate"].quantile([0, 0.5, 1]).unstack()
    spread = "; ".join(
        f"{kind}: median {middle.loc[kind, 0.5]:+.3f} ({middle.loc[kind, 0]:+.3f} to "
        f"{middle.loc[kind, 1]:+.3f})"
        for kind in KINDS
    )
    quantiles = pd.Series(accuracies).quantile([0, 0.5, 1])
    return "\n".join(
        [
            "# A planted bias, found again",
            "",
            "Written by `python tests/benchmarks/planted_bias.py`. Each seed draws other people,",
            f"splits them into training and test and trains the demo's `{ARCHITECTURE}` on",
            "everybody, with the demo's bias and without. Counts of studies, with 95 % intervals",
            "after Clopper and Pearson.",
            "",
            *(f"{line}|" for line in lines),
            "",
            f"Signed equal-opportunity gap, women minus men. {spread}.",
            f"Accuracy over the evaluated labels: median {quantiles[0.5]:.2f} "
            f"({quantiles[0]:.2f} to {quantiles[1]:.2f}).",
            "",
        ]
    )


def accuracy(folder: Path, kind: str, seed: int) -> float:
    """Read the overall accuracy of one study."""
    name = f"{KINDS[kind]}-{seed}"
    metrics = tables.read(folder / name / "results" / name / "tables/metrics.csv", tables.METRICS)
    chosen = (metrics["metric"] == "accuracy") & (metrics["label"] == "overall")
    return float(metrics.loc[chosen, "value"].iloc[0])


def main() -> None:
    """Run the studies and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="for the studies")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=4, help="studies at a time")
    parser.add_argument("--out", type=Path, required=True, help="page (.md)")
    given = parser.parse_args()
    asked = [(kind, seed) for seed in range(1, given.seeds + 1) for kind in KINDS]
    with ThreadPoolExecutor(given.jobs) as pool:
        parts = list(pool.map(lambda one: gaps(given.folder, *one), asked))
    accuracies = [accuracy(given.folder, *one) for one in asked]
    given.out.write_text(page(pd.concat(parts, ignore_index=True), accuracies))


if __name__ == "__main__":
    main()
