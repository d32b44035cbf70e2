from __future__ import annotations

import json
import re

import diagnosed
import located
import matplotlib
import numpy as np
import pandas as pd
import published_results
import pytest
import study_tables as made
from drawing import GENDER, draw, heatmap_inputs, strip_inputs, texts, unit_inputs
from matplotlib.collections import PathCollection
from matplotlib.text import Text

from facebias import tables
from facebias.presentation.figures import stage, style
from facebias.presentation.figures.request import FigureError
from facebias.study import plain

# What each family is drawn from and what is selected, made when it is asked for.
FAMILIES = {
    "confusion": lambda: (
        {"confusion": made.confusion()},
        {"train_split": "regular", "test_split": "female"},
    ),
    "rates": lambda: ({"metrics": made.metrics()}, {"metric": "tpr"}),
    "rates_by_group": lambda: (
        {"metrics_by_group": made.by_group()},
        {"attribute": "gender", "metric": "tpr"},
    ),
    "gaps": lambda: ({"fairness": made.fairness()}, GENDER),
    "gaps_signed": lambda: ({"fairness": made.fairness()}, GENDER),
    "gaps_labels": lambda: ({"fairness": made.fairness()}, GENDER),
    "curves": lambda: (made.histories(), {}),
    "heatmaps": lambda: (heatmap_inputs(), GENDER),
    "heatmap_strips": lambda: (strip_inputs(), GENDER),
    "conserved": lambda: ({"explanations": made.explanations()[0]}, {}),
    "randomisation": lambda: ({"randomisation": made.randomisation()}, {}),
    "relevance_regions": lambda: ({"relevance": located.compared()[0]}, GENDER),
    "relevance_maps": lambda: (located.maps(), GENDER),
    "relevance_strips": lambda: (located.strips(), GENDER),
    "relevance_joint": lambda: (
        dict(zip(("gaps", "joint"), located.compared()[1:], strict=True)),
        GENDER,
    ),
    "exclusions": lambda: ({"exclusions": made.exclusions()}, {}),
    "occurrences": lambda: ({"units": made.units()}, {}),
    "subjects": lambda: ({"splits": made.splits(), "manifest": made.manifest()}, GENDER),
    "confounds": lambda: ({"confounds": diagnosed.confound_table()}, GENDER),
    "variance": lambda: ({"variance": diagnosed.variance_table(folds=4)}, GENDER),
    "redraws": lambda: ({"redraws": diagnosed.redraw_table()}, GENDER),
    "sensitivity": lambda: (
        {"metrics": made.metrics(), "fairness": made.fairness()},
        GENDER | {"variants": json.dumps(made.VARIANTS)},
    ),
    "published": lambda: ({"intervals": published_results.intervals()}, GENDER),
    "published_comparison": lambda: (
        {"comparison": published_results.compared()},
        {"definition": "published"},
    ),
    "boxes": lambda: (
        {"metrics": made.metrics()},
        {"metric": "accuracy", "train_split": "regular"},
    ),
    "heatmaps_unit": lambda: (unit_inputs(), {**GENDER, "group": "female", "label": "surprise"}),
}


TWO = ("vgg16", "cnn3d")


def fewer(name):
    """Two architectures are enough where the numbers do not matter: layout takes its time."""
    given, select = FAMILIES[name]()
    if name == "curves":
        return {key: table for key, table in given.items() if key.startswith(TWO)}, select
    kept = {
        key: table[table["architecture"].isin(TWO)] if "architecture" in table else table
        for key, table in given.items()
    }
    return kept, select


def test_every_family_is_tried_here():
    assert set(FAMILIES) == set(stage.FIGURES)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_draws_readable_full_panels(name, tmp_path):
    given, select = fewer(name)
    figure, numbers = save(name, given, select, tmp_path / "figure")
    assert len(numbers)
    assert figure.get_figwidth() <= style.PAGE_WIDTH + 0.01
    assert min(item.get_fontsize() for item in figure.findobj(Text) if item.get_text()) >= 7
    for axes in figure.axes:
        assert axes.has_data() or axes.texts or axes.patches, "an empty panel"
        left, right = axes.get_xlim()
        assert left < right
        assert not outside(axes)
    assert {path.suffix for path in tmp_path.iterdir()} == {".csv", ".pdf", ".png"}
    pdf = (tmp_path / "figure.pdf").read_bytes()
    assert b"CreationDate" not in pdf
    assert b"/Type3" not in pdf


def outside(axes):
    """List the numbers drawn as lines or dots that lie outside a panel, by pixels."""
    drawn = [(line.get_transform(), line.get_xydata()) for line in axes.lines]
    dots = [each for each in axes.collections if isinstance(each, PathCollection)]
    drawn += [(each.get_offset_transform(), each.get_offsets()) for each in dots]
    places = [way.transform(np.ma.filled(spots, np.nan)) for way, spots in drawn if len(spots)]
    found = [spots[np.isfinite(spots).all(axis=1)] for spots in places]
    box = axes.bbox.padded(1)
    return [spot for spots in found for spot in spots.tolist() if not box.contains(*spot)]


# Lines and text, hatches, pictures; how they are saved is the same for all.
@pytest.mark.parametrize("name", ["rates", "exclusions", "heatmaps"])
def test_the_same_numbers_give_the_same_bytes(name, tmp_path):
    given, select = fewer(name)
    for turn in ("first", "second"):
        save(name, given, select, tmp_path / turn)
    for kind in ("png", "pdf", "csv"):
        first, second = ((tmp_path / f"{turn}.{kind}").read_bytes() for turn in ("first", "second"))
        assert first == second


def save(name, given, select, stem):
    figures = made.looks(dpi=50)
    with style.printing(figures):
        figure, numbers = draw(name, given, figures=figures, **select)
        style.save(figure, numbers, stem)
    return figure, numbers


def test_the_stage_writes_three_files_from_the_command_line(tmp_path):
    tables.write(made.metrics(), tmp_path / "metrics.csv", tables.METRICS)
    settings = json.dumps(plain({"figures": made.looks(), "labels": made.labels()}))
    stage.main(
        [
            *("rates", "--settings", settings),
            *("--input", f"metrics={tmp_path}/metrics.csv"),
            *("--select", "metric=accuracy", "--out", str(tmp_path / "deep/accuracy")),
        ]
    )
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {
        "accuracy.csv",
        "accuracy.pdf",
        "accuracy.png",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "metrics"], "expected KEY=VALUE"),
        (["--input", "metrics=a.csv", "metrics=b.csv"], "given twice"),
        (["--input", "metric=a.csv"], "metric"),
    ],
)
def test_a_wrong_command_says_what_was_expected(arguments, message, tmp_path):
    settings = json.dumps(plain({"figures": made.looks(), "labels": made.labels()}))
    with pytest.raises(FigureError, match=message):
        stage.main(["rates", "--settings", settings, *arguments, "--out", str(tmp_path / "x")])


def test_a_selection_that_leaves_nothing_says_what_there_is():
    with pytest.raises(FigureError, match="the table has tpr, fpr, accuracy"):
        draw("rates", {"metrics": made.metrics()}, metric="recall")
    with pytest.raises(FigureError, match=r"--select metric=\.\.\. is needed"):
        draw("rates", {"metrics": made.metrics()})


# -------------------------------------------------------------------------------- numbers behind


def test_confusion_shows_the_shares_of_its_table():
    select = {"train_split": "regular", "test_split": "female"}
    figure, numbers = draw("confusion", {"confusion": made.confusion()}, **select)
    given = made.confusion()
    wanted = given[(given["train_split"] == "regular") & (given["test_split"] == "female")]
    pd.testing.assert_frame_equal(numbers.reset_index(drop=True), wanted.reset_index(drop=True))
    panel = next(axes for axes in figure.axes if axes.get_title(loc="left") == "VGG16")
    shown = [text.get_text() for text in panel.texts]
    first = wanted[wanted["architecture"] == "vgg16"]
    for share in first["share"]:
        assert f"{100 * share:.0f}" in shown


def test_a_true_label_without_samples_is_not_available_rather_than_zero():
    table = made.confusion()
    table.loc[table["true"] == "upset", ["n_samples", "share"]] = [0.0, np.nan]
    figure, _ = draw("confusion", {"confusion": table}, train_split="male", test_split="all")
    panel = figure.axes[0]
    assert [text.get_text() for text in panel.texts].count("n/a") == len(made.LABELS)


def test_units_show_how_often_they_are_predicted_where_present_and_absent():
    rows = []
    for true, said, n, share in [
        ("AU1", "AU1", 30.0, 0.75),
        ("AU1", "not AU1", 10.0, 0.25),
        ("not AU1", "AU1", 12.0, 0.2),
        ("not AU1", "not AU1", 48.0, 0.8),
    ]:
        rows.append(("vgg16", "all", "all", true, said, n, share))
    table = pd.DataFrame(rows, columns=list(tables.CONFUSION.columns))
    labels = made.labels("units").__class__(
        kind="units", names=("AU1",), fuse={}, subsample_fused=False, seed=1
    )
    figure, numbers = draw(
        "confusion", {"confusion": table}, labels=labels, train_split="all", test_split="all"
    )
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert {"75", "20", "40 / 60"} <= set(shown)
    assert len(numbers) == 4


def test_rates_draw_every_value_of_the_csv_at_its_height():
    figure, numbers = draw("rates", {"metrics": made.metrics()}, metric="tpr")
    assert len(numbers) == 6 * 3 * 3 * 4
    heights = [
        round(float(line.get_ydata()[0]), 6)
        for axes in figure.axes
        for line in axes.lines
        if line.get_marker() not in ("None", None, "")
    ]
    assert sorted(heights) == sorted(numbers["value"].round(6))


def test_rates_by_group_need_no_test_splits():
    table = made.by_group()
    figure, numbers = draw(
        "rates_by_group", {"metrics_by_group": table}, attribute="gender", metric="tpr"
    )
    assert set(numbers["group"]) == {"female", "male"}
    wanted = table[(table["attribute"] == "gender") & (table["metric"] == "tpr")]
    pd.testing.assert_frame_equal(numbers.reset_index(drop=True), wanted.reset_index(drop=True))
    said = texts(figure)
    assert "True positive rate by gender" in said
    assert any(text.startswith("female: 5 subjects") for text in said)


def test_what_a_constant_answer_reaches_is_drawn_beside_accuracy():
    table = made.metrics()
    women = table["test_split"] == "female"
    often = women & (table["label"] == "sadness") & (table["metric"] == "tpr")
    table.loc[often, "n_samples"] = 30  # of 40
    figure, numbers = draw("rates", {"metrics": table}, metric="accuracy")
    constant = numbers[numbers["metric"] == "accuracy_constant"]
    assert len(constant) == len(numbers) / 2
    found = constant[constant["architecture"] == "vgg16"].set_index(
        ["train_split", "test_split", "label"]
    )["value"]
    for train in made.TRAINS:
        assert found[train, "female", "overall"] == found[train, "female", "sadness"] == 0.75
        assert found[train, "male", "overall"] == 0.25
        assert found[train, "male", "sadness"] == 0.75
    dotted = [line for axes in figure.axes for line in axes.lines if line.get_linestyle() == ":"]
    assert sorted(line.get_ydata()[0] for line in dotted) == sorted(constant["value"])
    assert any("Dotted: the best constant answer." in text for text in texts(figure))
    _, alone = draw("rates", {"metrics": table[table["metric"] == "accuracy"]}, metric="accuracy")
    assert set(alone["metric"]) == {"accuracy"}


def test_a_missing_rate_is_marked_and_not_drawn():
    table = made.metrics()
    gone = (table["label"] == "sadness") & (table["test_split"] == "male")
    table.loc[gone, ["value", "ci_low", "ci_high"]] = np.nan
    figure, _ = draw("rates", {"metrics": table}, metric="tpr")
    assert texts(figure).count("n/a") == 6 * 3
    assert any("n/a:" in text for text in texts(figure))


def test_false_positive_rates_get_an_axis_of_their_own():
    figure, numbers = draw("rates", {"metrics": made.metrics()}, metric="fpr")
    top = figure.axes[0].get_ylim()[1]
    assert numbers["ci_high"].max() <= top < numbers["ci_high"].max() + 0.1 + 1e-9


def test_curves_mark_the_best_epoch_of_each_model():
    histories = made.histories()
    _, numbers = draw("curves", histories)
    best = histories["cnn3d/female"].query("best")["epoch"].iloc[0]
    marked = numbers.query(
        "architecture == 'cnn3d' and train_split == 'female' and quantity == 'loss' and marked"
    )
    assert marked["epoch"].tolist() == [best]
    point = numbers.query(
        "architecture == 'cnn3d' and train_split == 'female' and quantity == 'accuracy' "
        "and subjects == 'train' and epoch == 3"
    )
    wanted = histories["cnn3d/female"]["train_accuracy"].iloc[2]
    assert point["mean"].iloc[0] == pytest.approx(wanted)


def test_curves_of_several_folds_are_means_with_their_range():
    histories = made.histories(folds=3)
    _, numbers = draw("curves", histories)
    assert set(numbers["n_models"]) == {3}
    runs = histories["vgg16/male"].query("epoch == 5")["validation_loss"].tolist()
    assert len(runs) == 3
    row = numbers.query(
        "architecture == 'vgg16' and train_split == 'male' and quantity == 'loss' "
        "and subjects == 'validation' and epoch == 5"
    ).iloc[0]
    assert (row["low"], row["high"]) == (min(runs), max(runs))
    assert row["mean"] == pytest.approx(np.mean(runs))


# ------------------------------------------------------------------------------------- heatmaps


def test_exclusions_print_counts_and_shares_per_group():
    figure, numbers = draw("exclusions", {"exclusions": made.exclusions()})
    shown = texts(figure)
    assert "4 (1.9 %)" in shown
    assert "7 samples of 432 left out" in shown
    row = numbers[(numbers["group"] == "dark") & (numbers["reason"] == "any")].iloc[0]
    assert (row["n_samples"], row["n_excluded"], row["n_used"]) == (144, 6, 138)


def test_nothing_left_out_draws_the_samples_used():
    figure, numbers = draw("exclusions", {"exclusions": made.exclusions(none=True)})
    assert any("None of 432 samples left out" in text for text in texts(figure))
    assert len(figure.axes) == 1
    assert (numbers["n_used"] == numbers["n_samples"]).all()


def test_subjects_count_people_and_their_samples():
    figure, numbers = draw("subjects", FAMILIES["subjects"]()[0], **GENDER)
    row = numbers.query("train_split == 'female' and role == 'test' and gender == 'male'").iloc[0]
    assert (row["subjects"], row["samples"]) == (5, 60)
    assert "5 (60)" in texts(figure)
    said = " ".join(texts(figure)).replace("\n", " ")
    assert "36 subjects, 432 samples. No subject has two roles in a model." in said
    assert numbers.groupby("train_split")["subjects"].sum().eq(36).all()


def test_subjects_over_folds_give_ranges():
    given = {"splits": made.splits(folds=5), "manifest": made.manifest()}
    figure, numbers = draw("subjects", given, attribute="skin")
    assert (numbers["subjects_low"] <= numbers["subjects"]).all()
    assert any(re.fullmatch("\\d+\u2013\\d+ \\(\\d+\u2013\\d+\\)", text) for text in texts(figure))


def test_groups_differ_by_marker_as_well_as_colour_and_keep_their_colours():
    looks = style.series(["female", "male"], made.looks())
    splits = style.series(["all", "female", "male"], made.looks(), whole=True)
    assert looks["female"].colour == splits["female"].colour
    assert len({look.marker for look in splits.values()}) == 3
    own = style.series(["female", "male"], made.looks(colours=("#111111", "#222222", "#333333")))
    assert own["female"].colour == "#111111"


def test_drawing_leaves_matplotlib_as_it_was():
    before = dict(matplotlib.rcParams)
    draw("exclusions", {"exclusions": made.exclusions()})
    assert dict(matplotlib.rcParams) == before


def test_arrays_that_hold_code_are_not_read(tmp_path):
    np.savez(tmp_path / "maps.npz", maps=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        stage.read({"maps": str(tmp_path / "maps.npz")}, {"maps": None}, {})
