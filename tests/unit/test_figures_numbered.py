"""The figures of the papers under their numbers, from made-up tables."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import published_results as published
import pytest
import study_tables as made
from drawing import GENDER, draw, texts, unit_inputs

from facebias import tables
from facebias.presentation.figures import stage, style
from facebias.presentation.figures.request import FigureError
from facebias.published import numbered
from facebias.study import plain

WHO = {**GENDER, "group": "female", "label": "surprise"}
A = {item.number: item for item in published.items("domnich2021") if item.kind == numbered.FIGURE}
TABLES = {
    "confusion": {"confusion": made.confusion()},
    "rates": {"metrics": made.metrics()},
    "boxes": {"metrics": made.metrics()},
    "gaps": {"fairness": made.fairness()},
}


def drawn(item):
    given = stage.keep(TABLES[item.drawing], {k: ",".join(v) for k, v in item.keep.items()})
    return draw(item.drawing, given, **item.select)


@pytest.mark.parametrize("number", A)
def test_every_figure_shows_the_rows_of_its_number(number):
    item = A[number]
    _, numbers = drawn(item)
    (table,) = TABLES[item.drawing].values()
    for column, values in item.keep.items():
        assert set(numbers[column]) == set(values)
        table = table[table[column].isin(values)]
    if item.drawing != "boxes":
        pd.testing.assert_frame_equal(numbers.reset_index(drop=True), table.reset_index(drop=True))


def test_figures_of_action_units_show_all_subjects_and_all_units():
    items = [item for item in published.items("deuschel2020") if item.number in (4, 5)]
    both, gender, skin, occurring = sorted(items, key=lambda item: item.number)
    assert skin.keep == {"train_split": ("light",)}
    assert both.keep["train_split"] == gender.keep["train_split"] + skin.keep["train_split"]
    keep = {"train_split": ",".join(gender.keep["train_split"])}
    given = stage.keep({"splits": made.splits(), "manifest": made.manifest()}, keep)
    _, numbers = draw("subjects", given, **gender.select)
    assert set(numbers["train_split"]) == {"female", "male"}
    assert numbers.groupby("train_split")["subjects"].sum().tolist() == [36, 36]
    figure, rows = draw("subjects", given, **both.select)
    assert len(figure.axes) == 2 * 2
    pd.testing.assert_frame_equal(
        rows[rows["gender"].notna()].drop(columns="skin")[numbers.columns], numbers
    )
    assert rows[rows["skin"].notna()].groupby("train_split")["subjects"].sum().tolist() == [36, 36]
    _, numbers = draw(occurring.drawing, {"units": made.units()})
    assert set(numbers["unit"]) == set(made.units()["unit"])


def test_a_panel_of_rates_has_the_test_splits_of_its_own_hold_out_alone():
    metrics = made.metrics()
    apart = (metrics["train_split"] == "male") == (metrics["test_split"] == "male")
    figure, numbers = draw("rates", {"metrics": metrics[apart]}, metric="tpr")
    assert len(numbers) == len(metrics[apart & (metrics["metric"] == "tpr")])
    assert "n/a" not in texts(figure)


def test_boxes_are_quartiles_over_architectures():
    metrics = TABLES["boxes"]["metrics"].copy()
    one = (metrics["test_split"] == "male") & (metrics["label"] == "upset")
    metrics.loc[one & (metrics["architecture"] == "vgg16"), "value"] = np.nan
    metrics.loc[(metrics["test_split"] == "female") & (metrics["label"] == "upset"), "value"] = (
        np.nan
    )
    keep = {"train_split": "female", "metric": "accuracy", "label": ",".join(made.LABELS)}
    figure, numbers = draw("boxes", stage.keep({"metrics": metrics}, keep))
    assert len(numbers) == 3 * 4
    for row in numbers.to_dict("records"):
        of_box = (metrics["test_split"] == row["test_split"]) & (metrics["label"] == row["label"])
        of_box &= (metrics["train_split"] == "female") & (metrics["metric"] == "accuracy")
        values = metrics[of_box].set_index("architecture")["value"].dropna()
        assert row["n_architectures"] == len(values)
        found = [row[name] for name in ("low", "first", "median", "third", "high")]
        if values.empty:
            assert np.isnan(found).all()
        else:
            assert found == pytest.approx(np.percentile(values, [0, 25, 50, 75, 100]))
            assert all(row[name] == value for name, value in values.items())
    assert texts(figure).count("n/a") == 1


def test_rates_by_train_split_stand_side_by_side():
    figure, numbers = drawn(A[30])
    assert set(numbers["test_split"]) == {"female"}
    said = texts(figure)
    assert [f"trained on {name}" in said for name in made.TRAINS] == [True] * 3
    assert "tested on female" in said
    assert len(figure.axes) == 6


def test_the_stage_keeps_rows_and_says_which_figure_it_is(tmp_path):
    tables.write(made.metrics(), tmp_path / "metrics.csv", tables.METRICS)
    settings = json.dumps(plain({"figures": made.looks(dpi=50), "labels": made.labels()}))
    command = [
        *("boxes", "--settings", settings, "--input", f"metrics={tmp_path}/metrics.csv"),
        *("--keep", "metric=accuracy", "train_split=male", "test_split=female,male"),
    ]
    stage.main([*command, "--note", A[25].caption, "--out", str(tmp_path / "f")])
    found = pd.read_csv(tmp_path / "f.csv")
    assert set(found["test_split"]) == {"female", "male"}
    assert b"%PDF" in (tmp_path / "f.pdf").read_bytes()


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ({"train_split": "mixed"}, "leaves no row of metrics; it has regular, female, male"),
        ({"room": "3"}, "no table has a column room"),
    ],
)
def test_rows_that_are_not_there_are_no_figure(keep, message):
    with pytest.raises(FigureError, match=message):
        stage.keep({"metrics": made.metrics()}, keep)


def test_a_sentence_before_the_note_makes_the_figure_higher_by_its_lines():
    figure, _ = drawn(A[21])
    before, height = figure.get_supxlabel(), figure.get_figheight()
    style.note_first(figure, A[21].caption)
    after = figure.get_supxlabel()
    assert " ".join(after.split()).startswith("As figure 21 of Domnich & Anbarjafari 2021: ")
    assert " ".join(after.split()).endswith(" ".join(before.split()))
    lines = after.count("\n") - before.count("\n")
    assert lines > 0
    assert figure.get_figheight() == pytest.approx(height + lines * style.NOTE_LINE)


def test_the_mean_of_a_group_is_over_all_and_single_people_are_publishable():
    given = unit_inputs()
    figure, numbers = draw("heatmaps_unit", given, **WHO)
    mean = numbers[numbers["shown"] == "mean"]
    manifest = given["manifest"].set_index("subject")
    women = manifest.index[manifest["gender"] == "female"]
    maps = given["maps"]
    chosen = np.isin(maps["subject"], women) & (maps["label"] == "surprise")
    pixels = mean[[f"x{place}" for place in range(maps["relevance"].shape[-1])]]
    assert np.allclose(pixels, maps["relevance"][chosen].mean(axis=0), atol=1e-4)
    assert set(mean["n_subjects"]) == {chosen.sum()}
    people = numbers[numbers["shown"] != "mean"]
    assert people["shown"].tolist() == ["best", "median", "worst"]
    assert people["score"].is_monotonic_decreasing
    assert people["subject"].is_unique
    facts = given["manifest"].set_index("sample").loc[people["sample"]]
    assert facts["publishable"].all()
    assert set(facts["gender"]) == {"female"}
    assert len(figure.axes) == 4


def test_without_anybody_publishable_the_mean_stands_alone():
    given = unit_inputs()
    given["manifest"] = given["manifest"].assign(publishable=False)
    figure, numbers = draw("heatmaps_unit", given, **WHO)
    assert set(numbers["shown"]) == {"mean"}
    assert len(figure.axes) == 1
    assert "No subject with the label may be shown" in " ".join(" ".join(texts(figure)).split())


def test_a_group_without_heatmaps_says_who_has_some():
    with pytest.raises(FigureError, match="group=other label=surprise: no subject has a heatmap"):
        draw("heatmaps_unit", unit_inputs(), **{**WHO, "group": "other"})
