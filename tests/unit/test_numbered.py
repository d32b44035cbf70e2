"""The numbered tables and figures of the papers: which there are, and the tables themselves."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import published_results as published
import pytest
import study_tables as made
import yaml

from facebias import tables
from facebias.presentation.figures import stage as figures
from facebias.presentation.report import numbered as numbered_tables
from facebias.published import contracts, numbered, papers
from facebias.study import StudyError, configuration

ROOT = Path(__file__).parents[2]
PAPER = "domnich2021"
TRAININGS = {
    "vgg16": {"learning_rate": 0.01, "batch_size": 12, "weight_decay": 5e-3},
    "cnn3d": {"learning_rate": 5e-3, "batch_size": 12, "weight_decay": 1e-6},
}


def study(name):
    return configuration.load(
        configuration.resolve(yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()))
    )


@pytest.mark.parametrize(
    ("name", "in_tables", "in_figures"),
    [
        ("domnich2021", [*range(1, 29)], [*range(11, 32)]),
        ("deuschel2020", [1, 2], [4, 5, 9, 10]),
        ("demo", [], []),
    ],
)
def test_a_study_makes_the_numbers_of_its_paper(name, in_tables, in_figures):
    found = study(name)
    assert sorted(numbered.of(found, numbered.TABLE)) == in_tables
    assert sorted(numbered.of(found, numbered.FIGURE)) == in_figures


@pytest.mark.parametrize("attributes", [("gender", "skin"), ("gender",), ("skin",)])
def test_the_experiments_are_those_of_the_study(attributes):
    whole = study("deuschel2020")
    some = dataclasses.replace(whole.evaluation, attributes=attributes)
    found = numbered.of(dataclasses.replace(whole, evaluation=some), "figure")
    assert found[4].select == {"attribute": ",".join(attributes)}
    if len(attributes) == 2:
        assert set(found[4].keep["train_split"]) == set(whole.splits.train)


def test_both_experiments_are_shown_only_where_both_are_run():
    whole = study("deuschel2020")
    train = {name: split for name, split in whole.splits.train.items() if name != "light"}
    fewer = dataclasses.replace(whole.splits, train=train)
    found = numbered.of(dataclasses.replace(whole, splits=fewer), "figure")
    assert found[4].select == {"attribute": "gender"}


@pytest.mark.parametrize("paper", papers.names())
def test_every_item_has_a_drawing_and_a_caption(paper):
    layouts = {*numbered_tables.LAYOUTS, "hyperparameters"}
    for item in published.items(paper):
        assert item.drawing in (layouts if item.kind == numbered.TABLE else figures.FIGURES)
        assert re.match(rf"As {item.kind} {item.number} of .* 20\d\d: .*\.$", item.caption)


@pytest.mark.parametrize("paper", papers.names())
def test_every_printed_number_of_the_paper_stands_in_its_table(paper):
    """The numbers of the registry are those beside which the papers' values were taken down."""
    values = tables.read(published.path(paper), contracts.VALUES)
    items = {item.number: item for item in published.items(paper) if item.kind == numbered.TABLE}
    assert set(values["paper_table"]) == set(items) - ({1} if paper == PAPER else set())
    for number, rows in values.groupby("paper_table"):
        for column, wanted in items[number].keep.items():
            assert set(rows[column]) == set(wanted), f"table {number}: {column}"


def written(folder, metrics, numbers, trainings=None):
    tables.write(metrics, folder / "metrics.csv", tables.METRICS)
    trainings = trainings or dict.fromkeys(made.ARCHITECTURES, TRAININGS["vgg16"])
    settings = {"numbers": numbers, "trainings": trainings}
    numbered_tables.main(
        [
            *("--replication", str(papers.FOLDER / PAPER), "--settings", json.dumps(settings)),
            *("--metrics", str(folder / "metrics.csv"), "--out", str(folder / "tables")),
        ]
    )
    return {n: folder / "tables" / f"{PAPER}_table_{n}.csv" for n in numbers}


def test_tables_hold_the_numbers_of_the_study(tmp_path):
    metrics = made.metrics()
    found = written(tmp_path, metrics, list(range(1, 29)))
    assert len(list((tmp_path / "tables").iterdir())) == 2 * 28
    order = [
        (test, train, metric)
        for test in ("all", "female", "male")
        for train in ("regular", "female", "male")
        for metric in ("accuracy", "tpr", "fpr")
    ]
    cells = metrics.set_index(["test_split", "train_split", "metric", "architecture", "label"])
    for number, key in enumerate(order, 2):
        table = pd.read_csv(found[number]).set_index("architecture")
        assert table.index.tolist() == list(made.ARCHITECTURES)
        labels = [name for name in table if name in made.LABELS]
        assert labels == ["surprise", "upset", "sadness", "happiness"]
        for architecture in table.index:
            for label in labels:
                cell = cells.loc[(*key, architecture, label)]
                named = [label, f"{label}_ci_low", f"{label}_ci_high"]
                wanted = cell[["value", "ci_low", "ci_high"]].tolist()
                assert table.loc[architecture, named].tolist() == pytest.approx(wanted)
        tex = found[number].with_suffix(".tex").read_text()
        assert rf"As table {number} of Domnich \& Anbarjafari 2021" in tex
        assert f" {key[0]}: {made.TESTS[key[0]]} test subjects. " in tex


def test_hyperparameters_keep_their_digits(tmp_path):
    path = written(tmp_path, made.metrics(), [1], TRAININGS)[1]
    table = pd.read_csv(path).set_index("architecture")
    assert table.drop(columns="table").T.to_dict() == TRAININGS
    tex = path.with_suffix(".tex").read_text()
    assert r"3D-CNN & $0.005$ & $12$ & $1 \cdot 10^{-6}$ \\" in tex


def test_further_variants_of_a_network_stand_in_no_table(tmp_path):
    path = written(tmp_path, made.metrics(), [2], TRAININGS)[2]
    assert pd.read_csv(path)["architecture"].tolist() == list(TRAININGS)


def test_what_is_not_there_is_missing_and_not_0(tmp_path):
    metrics = made.metrics()
    cell = (metrics["train_split"] == "male") & (metrics["test_split"] == "female")
    cell &= (metrics["architecture"] == "resnet50") & (metrics["metric"] == "tpr")
    metrics.loc[cell & (metrics["label"] == "upset"), ["value", "ci_low", "ci_high"]] = np.nan
    metrics = metrics[~(cell & (metrics["label"] == "sadness"))]
    path = written(tmp_path, metrics, [18])[18]
    table = pd.read_csv(path).set_index("architecture")
    assert table.loc["resnet50", ["upset", "sadness"]].isna().all()
    assert table.drop(index="resnet50").notna().all(axis=None)
    line = re.search(r"^ResNet50 & .*$", path.with_suffix(".tex").read_text(), re.M)[0]
    assert line.count("--") == 2


def test_a_table_of_nothing_says_what_there_is(tmp_path):
    metrics = made.metrics()
    with pytest.raises(StudyError, match=r"train_split=female.*domnich2021-table-5"):
        written(tmp_path, metrics[metrics["train_split"] != "female"], [5])


def test_scores_have_a_row_per_pair_of_splits():
    item = next(item for item in published.items("deuschel2020") if item.kind == numbered.TABLE)
    rows = [
        ("vgg16", train, test, "overall", metric, value, value - 0.1, value + 0.1, 10, 400)
        for train, shift in (("female", 0.0), ("male", 0.1), ("mixed", 0.2))
        for test, more in (("female", 0.3), ("male", 0.4))
        for metric, value in (("f1_macro", shift + more), ("f1_weighted", shift + more + 0.05))
    ]
    metrics = tables.check(pd.DataFrame(rows, columns=[*tables.METRICS.columns]), tables.METRICS)
    table = numbered_tables.lay_out(item, "deuschel2020", metrics, TRAININGS)
    assert " female: 10 test subjects, male: 10 test subjects. " in table.caption
    wide = table.wide()
    assert wide[["train_split", "test_split"]].to_numpy().tolist() == [
        [train, test] for train in ("female", "male", "mixed") for test in ("female", "male")
    ]
    assert wide["f1_macro"].tolist() == pytest.approx([0.3, 0.4, 0.4, 0.5, 0.5, 0.6])
    assert wide["f1_weighted"].tolist() == pytest.approx([0.35, 0.45, 0.45, 0.55, 0.55, 0.65])


def test_a_call_without_its_tables_says_what_is_missing(capsys):
    with pytest.raises(SystemExit):
        numbered_tables.main([])
    assert "required: --replication, --settings, --metrics, --out" in capsys.readouterr().err


def test_start_page_says_which_numbers_are_made():
    def made(paper, kind):
        return sorted({item.number for item in published.items(paper) if item.kind == kind})

    def said(words):
        """Read such as `1 to 3, 5 and 9`."""
        found = set()
        for part in re.split(r", | and ", words):
            first, _, last = part.partition(" to ")
            found |= {*range(int(first), int(last or first) + 1)}
        return sorted(found)

    text = " ".join((ROOT / "README.md").read_text().split())
    (found,) = re.findall(
        r"Made are tables ([\d to,and]+) and figures ([\d to,and]+) of the first study, "
        r"tables ([\d to,and]+) and figures ([\d to,and]+) of the second\.",
        text,
    )
    assert [said(words) for words in found] == [
        made(paper, kind)
        for paper in ("domnich2021", "deuschel2020")
        for kind in (numbered.TABLE, numbered.FIGURE)
    ]
