"""Tables for print: LaTeX that compiles and a CSV beside it."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import study_tables as made

from facebias import tables
from facebias.presentation.report import latex
from facebias.presentation.report import print as print_table
from facebias.study import StudyError


def printed(folder, name, table, *select):
    contract = {"metrics": tables.METRICS, "fairness": tables.FAIRNESS}[name]
    tables.write(table, folder / f"{name}.csv", contract)
    out = folder / "print" / f"{name}.tex"
    chosen = ["--select", *select] if select else []
    print_table.main([name, "--input", str(folder / f"{name}.csv"), *chosen, "--out", str(out)])
    return out.read_text(encoding="utf-8"), pd.read_csv(out.with_suffix(".csv"))


def test_special_letters_are_escaped():
    assert latex.escaped("a_b & 5 % {x} #1 $ ~ ^ \\") == (
        r"a\_b \& 5 \% \{x\} \#1 \$ \textasciitilde{} \textasciicircum{} \textbackslash{}"
    )


def test_labels_keep_what_latex_takes_in_one():
    assert latex._label("tab:a b_c.1-2 (x)") == "tab:a-b-c.1-2--x-"


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0.5, 0.25, 0.75), r"$0.50$ {\scriptsize $[0.25, 0.75]$}"),
        ((-0.5, np.nan, np.nan), "$-0.50$"),
        ((-0.001, np.nan, np.nan), "$0.00$"),
        ((np.nan, 0.1, 0.2), "--"),
    ],
)
def test_values_carry_their_interval(numbers, said):
    assert latex.value(*numbers) == said


def test_metrics_are_printed_per_metric_and_cell(tmp_path):
    table = made.metrics()
    table.loc[table["label"] == "sadness", ["value", "ci_low", "ci_high"]] = np.nan
    tex, wide = printed(tmp_path, "metrics", table, "metric=tpr,fpr", "train_split=regular")
    assert tex.count(r"\begin{table*}") == tex.count(r"\end{table*}") == 2 * 3
    assert "VGG16 & $" in tex
    assert " & -- & " in tex
    assert "Accuracy" not in tex
    row = wide[(wide["table"] == "tpr-regular-all") & (wide["architecture"] == "cnn3d")].iloc[0]
    cell = table[
        (table["architecture"] == "cnn3d")
        & (table["train_split"] == "regular")
        & (table["test_split"] == "all")
        & (table["label"] == "upset")
        & (table["metric"] == "tpr")
    ].iloc[0]
    assert row["upset"] == pytest.approx(cell["value"])
    assert row["upset_ci_high"] == pytest.approx(cell["ci_high"])
    assert np.isnan(row["sadness"])


def test_overall_stands_last_and_many_labels_go_down_the_side(tmp_path):
    tex, _ = printed(tmp_path, "metrics", made.metrics(), "metric=accuracy", "test_split=all")
    assert r"Upset & Overall \\" in tex
    cell = made.metrics()[lambda table: table["label"] == "upset"]
    many = pd.concat([cell.assign(label=f"AU{n}") for n in range(1, 11)])
    tex, _ = printed(tmp_path, "metrics", many, "metric=tpr", "test_split=all")
    assert r"Label & VGG16 & VGGFace" in tex


def test_fairness_is_printed_as_sizes_and_signs(tmp_path):
    table = made.fairness(attribute="skin_tone", groups=("very_dark", "light", "medium"))
    tex, wide = printed(tmp_path, "fairness", table)
    assert tex.count(r"\begin{tabular}") == 3 * 2
    assert r"First & Second & Architecture" in tex
    assert "very dark & light & VGG16" in tex
    assert "range over very dark, light, medium" in tex
    assert re.search(r"(?<!\\)_", tex) is None
    assert set(wide["table"]) == {
        f"{kind}-skin_tone-{train}" for kind in ("gaps", "signed") for train in made.TRAINS
    }


def test_a_star_marks_the_gaps_that_are_found_and_the_csv_has_all_verdicts(tmp_path):
    table = made.fairness(trains=("regular",))
    tex, wide = printed(tmp_path, "fairness", table)
    shown = table["family"] != "labels"
    assert tex.count("^{*}") == (table["verdict"] == "gap found")[shown].sum() > 0
    row = wide[(wide["table"] == "gaps-gender-regular") & (wide["criterion"] == "equalized_odds")]
    chosen = table[
        (table["criterion"] == "equalized_odds") & (table["definition"] == "per_class_mean")
    ]
    assert row["per_class_mean_verdict"].tolist() == chosen["verdict"].tolist()


def test_every_row_of_a_table_has_as_many_cells_as_its_head(tmp_path):
    tex, _ = printed(tmp_path, "fairness", made.fairness())
    for block in tex.split(r"\toprule")[1:]:
        rows = [line for line in block.splitlines() if line.endswith(r"\\")]
        assert len({line.count(" & ") for line in rows}) == 1
        assert len(rows) in (1 + 6 * 6, 1 + 6)


def test_a_selection_without_rows_says_what_there_is(tmp_path):
    with pytest.raises(StudyError, match="metric is tpr, fpr, accuracy"):
        printed(tmp_path, "metrics", made.metrics(), "metric=recall")
    with pytest.raises(StudyError, match="no column metrik"):
        printed(tmp_path, "metrics", made.metrics(), "metrik=tpr")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX on this machine")
def test_latex_sets_the_tables(tmp_path):
    printed(tmp_path, "metrics", made.metrics(), "metric=tpr")
    printed(tmp_path, "fairness", made.fairness(attribute="skin_tone"))
    lines = [
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{booktabs}\begin{document}",
        r"\input{print/metrics}\clearpage\input{print/fairness}\end{document}",
    ]
    (tmp_path / "paper.tex").write_text("\n".join(lines), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
