"""Auditing a table of predictions that was made elsewhere."""

import re

import numpy as np
import pandas as pd
import pytest

import scored
from facebias import tables
from facebias.evaluation import audit, prediction_table
from facebias.study import StudyError

OPTIONS = ["--resamples", "100"]


@pytest.fixture
def frame():
    return scored.classes(np.random.default_rng(2)).drop(columns="seed")


def run(folder, frame, *more, attribute="gender", name="given.csv"):
    path = folder / name
    if name.endswith(".parquet"):
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    out = ["--out", str(folder / "out"), *OPTIONS, *more]
    audit.main(["--predictions", str(path), "--attribute", attribute, *out])
    return (
        tables.read(folder / "out" / "metrics.csv", tables.METRICS),
        tables.read(folder / "out" / "fairness.csv", tables.FAIRNESS),
    )


def test_metrics_of_all_and_of_every_group(tmp_path, frame):
    metrics, fairness = run(tmp_path, frame)
    assert metrics["test_split"].unique().tolist() == ["all", "gender=female", "gender=male"]
    assert set(metrics["architecture"]) | set(fairness["train_split"]) == {"given"}
    wide = metrics.pivot(index="test_split", columns=["label", "metric"], values="value")
    signed = fairness[
        (fairness["criterion"] == "equal_opportunity") & (fairness["definition"] == "signed")
    ]["estimate"].item()
    means = wide[("overall", "tpr_macro")]
    assert signed == pytest.approx(means["gender=female"] - means["gender=male"])


def test_csv_and_parquet_and_any_order_of_rows_give_the_same_bytes(tmp_path, frame):
    frame = frame.assign(subject=frame["subject"].str[1:].astype(int))
    written = []
    for name, table in (("a.csv", frame), ("b.parquet", frame), ("c.csv", frame.iloc[::-1])):
        run(tmp_path, table, name=name)
        written.append((tmp_path / "out" / "fairness.csv").read_bytes())
    assert written[0] == written[1] == written[2]


def test_labels_that_occur_together(tmp_path):
    frame = scored.units(np.random.default_rng(1)).drop(columns="seed")
    metrics, fairness = run(tmp_path, frame)
    assert set(metrics["label"]) == {"AU1", "AU4", "AU12", "overall"}
    one = metrics[(metrics["label"] == "AU1") & (metrics["metric"] == "accuracy")].iloc[0]
    assert one["n_samples"] == frame["label_AU1"].notna().sum()
    assert fairness["estimate"].notna().all()


def test_several_attributes_and_missing_values(tmp_path, frame):
    number = frame["subject"].str[1:].astype(int)
    frame["skin"] = np.where(number < 3, None, np.where(number % 2, "dark", "light"))
    _, fairness = run(tmp_path, frame, "--attribute", "skin")
    assert fairness["attribute"].unique().tolist() == ["gender", "skin"]
    skin = fairness[fairness["attribute"] == "skin"]
    assert skin["note"].str.contains("3 subjects without skin left out").all()


def test_summary_says_the_gap_and_what_an_interval_is_not(tmp_path, frame, capsys):
    _, fairness = run(tmp_path, frame)
    printed = capsys.readouterr().out
    signed = fairness[fairness["definition"] == "signed"]
    largest = signed.loc[signed["estimate"].abs().idxmax(), "estimate"]
    assert "60 samples of 12 subjects" in printed
    assert f"{largest:+.3f}, 95 % interval" in printed
    assert "includes 0 is no evidence that there is no bias" in printed


def test_summary_of_a_gap_that_cannot_be_estimated(tmp_path, frame, capsys):
    run(tmp_path, frame.assign(gender="female"))
    assert "female is the only group and a gap needs two" in capsys.readouterr().out


def without(name):
    return lambda frame: frame.drop(columns=name)


def put(row, name, value):
    def change(frame):
        frame = frame.astype({name: object})
        frame.loc[row, name] = value
        return frame

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("subject"), "no column subject"),
        (lambda f: f.rename(columns={"gender": "Gender"}), "no column gender; did you mean Gender"),
        (lambda f: f.rename(columns={"label": "labels"}), "no column label; did you mean labels"),
        (lambda f: f[["sample", "subject", "label", "gender"]], "no column score_<label>"),
        (put(4, "score_joy", 1.5), r"row 6: score_joy is 1\.5; expected a probability"),
        (put(4, "score_joy", "inf"), "row 6: score_joy is inf; expected a probability"),
        (put(4, "score_joy", None), "row 6: score_joy is empty; expected a probability"),
        (put(4, "score_joy", "high"), "row 6: score_joy is high; expected a number"),
        (put(2, "label", "jo"), "row 4: label is jo; .*did you mean joy"),
        (put(2, "label", None), "row 4: label is empty"),
        (put(2, "subject", None), "row 4: subject is empty"),
        (put(5, "sample", "c0000"), "row 7: sample is c0000; already given"),
        (put(0, "gender", "male"), "subject p000 is in two groups"),
        (lambda f: f.assign(label_joy=1), "both label and label_joy"),
        (lambda f: f.iloc[:0], "no rows"),
        (lambda f: f.assign(score_=0.5), "a column is called score_; expected score_<label>"),
        (
            lambda f: f.rename(columns={"score_joy": "score_overall"}),
            "score_overall: overall is what the results call all labels together; rename",
        ),
        (
            lambda f: f.assign(score_joy=0.0, score_grief=0.0, score_rage=0.0),
            r"row 2: score_joy is 0\.0; and so is every other: no label is the highest",
        ),
        (
            lambda f: f.assign(gender=f["gender"].replace("female", "female ")),
            "gender has the value 'female '; remove the spaces around it",
        ),
    ],
)
def test_broken_table_is_refused_in_words(tmp_path, frame, change, message):
    with pytest.raises(StudyError, match=message):
        run(tmp_path, change(frame))
    assert not (tmp_path / "out").exists()


def test_a_header_that_stands_twice_is_refused(tmp_path, frame):
    path = tmp_path / "given.csv"
    frame.to_csv(path, index=False)
    text = path.read_text().replace("score_grief", "score_joy", 1)
    path.write_text(text)
    with pytest.raises(StudyError, match="row 1: 2 columns are called score_joy; rename or remove"):
        prediction_table.read(path, ["gender"])


@pytest.mark.parametrize("name", ["sample", "subject", "label", "score_joy"])
def test_what_is_said_of_samples_is_no_attribute(tmp_path, frame, name):
    with pytest.raises(StudyError, match=f"--attribute {name}: {name} is what the table says of"):
        run(tmp_path, frame, attribute=name)


def test_an_attribute_crossed_with_itself_is_refused(tmp_path, frame):
    with pytest.raises(StudyError, match="--attribute gender x gender: crosses an attribute with"):
        run(tmp_path, frame, attribute="gender x gender")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--confidence", "0.9999"), "--resamples is 100; expected 20000 or more with --confid"),
        (("--bins", "age=0,30,90"), "--bins age: no such --attribute.*; given: gender"),
        (("--bins", "gendre=0,30,90"), "--bins gendre: no such --attribute; did you mean gender"),
    ],
)
def test_options_that_fit_nothing_are_refused(tmp_path, frame, options, message):
    with pytest.raises(StudyError, match=message):
        run(tmp_path, frame, *options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("word", ["None", "NA", "null"])
def test_a_word_for_nothing_is_a_group_and_is_told(tmp_path, frame, capsys, word):
    _, fairness = run(tmp_path, frame.assign(gender=frame["gender"].replace("male", word)))
    assert {*fairness["first"], *fairness["second"]} == {word, "female"}
    assert f"gender: '{word}' is taken for a group; leave a cell empty" in capsys.readouterr().out


def test_a_word_for_nothing_in_numbers_is_nothing(tmp_path):
    frame = scored.units(np.random.default_rng(1)).drop(columns="seed")
    empty = frame["label_AU4"].isna()
    assert empty.any()
    expected = run(tmp_path, frame)
    frame = frame.assign(label_AU4=frame["label_AU4"].astype(object).mask(empty, "NA"))
    for found, wanted in zip(run(tmp_path, frame), expected, strict=True):
        pd.testing.assert_frame_equal(found, wanted)


def test_units_are_compared_by_the_area_under_the_roc_curve_too(tmp_path):
    frame = scored.units(np.random.default_rng(1)).drop(columns="seed")
    _, fairness = run(tmp_path, frame)
    assert fairness.loc[fairness["criterion"] == "auc_gap", "estimate"].notna().all()


def test_every_attribute_has_a_verdict_and_its_p_values_are_corrected(tmp_path, frame, capsys):
    number = frame["subject"].str[1:].astype(int)
    frame["skin"] = np.where(number % 3 == 0, "dark", "light")
    _, fairness = run(tmp_path, frame, "--attribute", "skin")
    declared = fairness[fairness["family"] == "primary"]
    assert declared["attribute"].tolist() == ["gender", "skin"]
    # Holm: two gaps are corrected together.
    assert declared["p_holm"].min() == pytest.approx(min(1, 2 * declared["p_value"].min()))
    printed = capsys.readouterr().out
    for row in declared.itertuples():
        groups = row.groups.replace(" - ", " and ")
        assert f"  {row.verdict}: equalized odds, {groups}: {row.estimate:.3f}," in printed
        assert f"corrected p = {row.p_holm:.3g}" in printed
    assert ", p = " not in printed
    assert f"Written: {tmp_path / 'out' / 'metrics.csv'}" in printed


def test_the_largest_gap_of_a_label_names_the_label(tmp_path, frame, capsys):
    """One of three labels is never found in men."""
    men = (frame["gender"] == "male") & (frame["label"] == "grief")
    right = frame["label"].to_numpy()[:, None] == np.array(["joy", "grief", "rage"])
    right[men] = [True, False, False]
    frame[["score_joy", "score_grief", "score_rage"]] = np.where(right, 0.8, 0.1)
    run(tmp_path, frame)
    assert "true positive rate of grief: female 1.00, male 0.00" in capsys.readouterr().out


def test_a_size_has_no_direction_and_the_rates_beside_it_say_who_is_ahead(tmp_path, frame, capsys):
    women = (frame["gender"] == "female") & (np.arange(len(frame)) % 3 > 0)
    right = frame["label"].to_numpy()[:, None] == np.array(["joy", "grief", "rage"])
    right[women] = np.roll(right[women], 1, axis=1)
    frame[["score_joy", "score_grief", "score_rage"]] = np.where(right, 0.8, 0.1)
    metrics, _ = run(tmp_path, frame)
    means = metrics[metrics["metric"] == "tpr_macro"].set_index("test_split")["value"]
    assert means["gender=female"] < 0.5 < means["gender=male"] == 1
    printed = capsys.readouterr().out
    rates = f"female {means['gender=female']:.2f}, male 1.00"
    assert f"true positive rate, mean over labels: {rates}" in printed
    for line in printed.splitlines():
        if "female - male" in line:
            assert line.strip().startswith("largest signed gap")
            assert "female - male: -" in line
    assert "female and male: 0." in printed


def test_a_network_that_says_one_label_to_nearly_all_gets_no_comfort(tmp_path, capsys):
    """Its groups are treated alike: nobody is looked at."""
    random = np.random.default_rng(1)
    frame = scored.classes(random, n_subjects=60, n_samples=20).drop(columns="seed")
    shares = [0.6, 0.3, 0.1]
    frame = frame.assign(label=random.choice(["joy", "grief", "rage"], size=len(frame), p=shares))
    _, fairness = run(tmp_path, scored.constant(frame, "joy", 0.87), "--margin", "0.2")
    declared = fairness[fairness["family"] == "primary"].iloc[0]
    # All that the verdict of a small gap asks for, but a model that looks.
    assert declared["ci_high"] <= 0.2
    assert declared["p_reachable"] < 0.05
    assert re.fullmatch(r"cannot tell: says joy to 9\d % of samples", declared["verdict"])
    assert not fairness["verdict"].str.contains("no gap larger").any()
    printed = capsys.readouterr().out
    assert "not surely better than one that looks at nothing: it says joy to 9" in printed
    share = (frame["label"] == "joy").mean()
    assert f"(always saying joy: {share:.3f}); true positive rate, mean over labels 0.3" in printed
    assert "(guessing: 0.333); area under the ROC curve, mean over labels 0." in printed
    for group, part in frame.groupby("gender"):
        share = (part["label"] == "joy").mean()
        assert re.search(rf"  {group}: accuracy 0.\d+ \(always saying joy: {share:.3f}\)", printed)
    # One that looks is called what it was.
    right = frame["label"].to_numpy()[:, None] == np.array(["joy", "grief", "rage"])
    right[random.random(len(frame)) < 0.3] = [True, False, False]
    frame[["score_joy", "score_grief", "score_rage"]] = np.where(right, 0.8, 0.1)
    _, fairness = run(tmp_path, frame, "--margin", "0.2")
    declared = fairness[fairness["family"] == "primary"].iloc[0]
    assert declared["verdict"] == "no gap larger than 0.2"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("label_AU4"), "score_AU4 has no column label_AU4"),
        (put(3, "label_AU4", 2), "row 5: label_AU4 is 2.*expected 1, 0 or nothing"),
        (put(3, "label_AU4", "yes"), "row 5: label_AU4 is yes; expected a number"),
    ],
)
def test_broken_table_of_units_is_refused_in_words(tmp_path, change, message):
    frame = scored.units(np.random.default_rng(1)).drop(columns="seed")
    with pytest.raises(StudyError, match=message):
        run(tmp_path, change(frame))


def test_file_that_is_not_there_or_no_table_is_refused(tmp_path):
    with pytest.raises(StudyError, match="no such file"):
        prediction_table.read(tmp_path / "none.csv", ["gender"])
    for name, content in (("a.csv", b""), ("b.parquet", b"text"), ("c.csv", b"\xff\xfe\x00")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(StudyError, match="not a readable CSV or Parquet table"):
            prediction_table.read(tmp_path / name, ["gender"])


@pytest.mark.parametrize(
    ("option", "value"),
    [("--resamples", "5"), ("--confidence", "95"), ("--min-subjects", "1"), ("--seed", "-1")],
)
def test_option_out_of_range_is_refused(tmp_path, frame, option, value):
    with pytest.raises(StudyError, match=f"{option} is .*expected"):
        run(tmp_path, frame, f"{option}={value}")


def test_numbers_as_text_with_gaps_are_groups(tmp_path, frame):
    frame["band"] = pd.Series(frame["subject"].str[1:].astype(int) % 2, dtype="Int64")
    metrics, _ = run(tmp_path, frame, attribute="band", name="x.parquet")
    assert metrics["test_split"].unique().tolist() == ["all", "band=0", "band=1"]
