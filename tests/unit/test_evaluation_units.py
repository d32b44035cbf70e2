"""Metrics and gaps of units: F1, skew-normalised F1 and area under the ROC curve of groups."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

import scored
from facebias.evaluation import (
    attributes,
    by_group,
    cells,
    counts,
    fairness_criteria,
    gaps,
    groups,
    permutation,
    rates,
    redraws,
    standard_errors,
    variance,
)
from facebias.evaluation import seeds as seed_counts

UNITS = ("AU1", "AU4", "AU12")
CRITERIA = {
    "f1_gap": "f1",
    "f1_skew_normalised_gap": "f1_skew_normalised",
    "balanced_accuracy_gap": "balanced_accuracy",
    "auc_gap": "auc",
}
MODEL = {"architecture": "vgg16", "train_split": "regular"}
CELL = {**MODEL, "test_split": "all"}


def frame_of(seed, kind="whole", **options):
    """Random units; some are annotated in nobody of a group, some are never or always present."""
    random = np.random.default_rng([11, seed])
    frame = scored.units(random, **{"n_subjects": 10, "n_samples": 6, "missing": 0.3, **options})
    if kind == "not annotated":
        frame.loc[frame["gender"] == "male", "label_AU1"] = np.nan
    if kind == "never present":
        frame.loc[(frame["gender"] == "male") & (frame["label_AU1"] == 1), "label_AU1"] = 0
    if kind == "always present":
        frame.loc[(frame["gender"] == "male") & (frame["label_AU1"] == 0), "label_AU1"] = 1
    if kind == "never found":
        frame["score_AU1"] = 0.0
    return frame


KINDS = ("whole", "not annotated", "never present", "always present", "never found")


def slow(name, frame, unit):
    """The rate of one unit by scikit-learn; NaN where it does not exist."""
    known = frame[frame[f"label_{unit}"].notna()]
    true, score = known[f"label_{unit}"] == 1, known[f"score_{unit}"]
    if known.empty:
        return np.nan
    if name == "f1":
        return sk.f1_score(true, score >= 0.5, zero_division=np.nan)
    if not true.any() or true.all():
        return np.nan
    if name == "auc":
        return sk.roc_auc_score(true, score)
    if name == "balanced_accuracy":
        return sk.balanced_accuracy_score(true, score >= 0.5)
    weight = np.where(true, 1 / true.sum(), 1 / (~true).sum())
    return sk.f1_score(true, score >= 0.5, sample_weight=weight, zero_division=np.nan)


def summed(frame):
    counted = counts.count(scored.scored(frame), ranked=True)
    return counted.summed(np.ones((1, len(counted.subjects))))[0]


def fairness(frame, **changes):
    return groups.fairness(
        counts.count(scored.scored(frame), ranked=True),
        attributes.grouping(frame, "gender"),
        MODEL,
        evaluation=dataclasses.replace(scored.EVALUATION, **changes),
    )


def row(table, criterion, definition="signed"):
    chosen = table[(table["criterion"] == criterion) & (table["definition"] == definition)]
    assert len(chosen) == 1
    return chosen.iloc[0]


# --------------------------------------------------------------------------------------- estimates


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", list(CRITERIA.values()))
def test_rates_match_scikit_learn_and_are_missing_where_they_do_not_exist(name, kind):
    for seed in range(5):
        frame = frame_of(seed, kind)
        for part in (frame, frame[frame["gender"] == "male"]):
            found = rates.rate(name, summed(part))
            expected = [slow(name, part, unit) for unit in UNITS]
            np.testing.assert_allclose(found, expected)


def test_skew_normalised_f1_does_not_move_with_the_base_rate_and_f1_does():
    table = np.array([6, 4, 4, 16])
    rarer = table * np.array([1, 10, 1, 10])
    assert rates.rate("f1", rarer) < rates.rate("f1", table) - 0.2
    assert rates.rate("f1_skew_normalised", rarer) == rates.rate("f1_skew_normalised", table)


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_of_a_cell_match_scikit_learn(kind):
    frame = frame_of(3, kind)
    table = cells.metrics(scored.scored(frame), CELL, evaluation=scored.EVALUATION)
    found = table.set_index(["label", "metric"])["value"]
    for name in CRITERIA.values():
        expected = [slow(name, frame, unit) for unit in UNITS]
        np.testing.assert_allclose([found[unit, name] for unit in UNITS], expected)
        assert found["overall", f"{name}_macro"] == pytest.approx(np.nanmean(expected))
    positives = [(frame[f"label_{unit}"] == 1).sum() for unit in UNITS]
    f1 = [slow("f1", frame, unit) for unit in UNITS]
    weighted = sum(n * value for n, value in zip(positives, f1, strict=True) if n) / sum(positives)
    assert found["overall", "f1_weighted"] == pytest.approx(weighted)
    missing = table[table["value"].isna()]
    assert (missing[["n_subjects", "n_samples"]] == 0).all(axis=None)


def test_classes_have_no_metric_of_units():
    table = cells.metrics(
        scored.scored(scored.classes(np.random.default_rng(0))), CELL, evaluation=scored.EVALUATION
    )
    assert not table["metric"].str.contains("skew").any()


@pytest.mark.parametrize("kind", KINDS)
def test_gaps_match_scikit_learn_by_group(kind):
    for seed in range(3):
        frame = frame_of(seed, kind)
        table = fairness(frame)
        parts = [frame[frame["gender"] == group] for group in ("female", "male")]
        for criterion, name in CRITERIA.items():
            each = np.array([[slow(name, part, unit) for unit in UNITS] for part in parts])
            gap = each[0] - each[1]
            expected = {
                "signed": np.nanmean(gap),
                "per_class_mean": np.nanmean(np.abs(gap)),
                "worst_class": np.nanmax(np.abs(gap)),
            }
            for definition, value in expected.items():
                found = row(table, criterion, definition)
                assert found["estimate"] == pytest.approx(value), (criterion, definition)
                # Nothing is averaged in silence: what was left out is named.
                lost = np.isnan(gap).any()
                assert lost == ("AU1 left out" in str(found["note"]))
    assert row(table, "f1_gap", "published")["estimate"] == pytest.approx(
        abs(row(table, "f1_gap")["estimate"])
    )


def test_only_what_was_published_has_a_published_definition():
    defined = fairness_criteria.defined(fairness_criteria.of_labels(exclusive=False, ranked=True))
    assert ("f1_gap", "published") in defined
    assert ("f1_skew_normalised_gap", "published") not in defined
    assert ("auc_gap", "published") not in defined
    assert ("auc_gap", "signed") in defined


def test_missing_labels_never_count():
    frame = frame_of(1)
    more = frame.assign(sample="x" + frame["sample"], **{f"label_{unit}": np.nan for unit in UNITS})
    with_more = fairness(pd.concat([frame, more], ignore_index=True))
    pd.testing.assert_frame_equal(fairness(frame), with_more)


def test_nothing_estimable_is_missing():
    frame = frame_of(0)
    frame.loc[frame["gender"] == "male", [f"label_{unit}" for unit in UNITS]] = np.nan
    table = fairness(frame)
    assert table["estimate"].isna().all()
    assert table["p_value"].isna().all()


def test_a_group_of_units_in_ranges():
    frame = frame_of(4, n_subjects=18)
    third = frame["subject"].str[1:].astype(int) % 3
    frame["gender"] = np.array(["a", "b", "c"])[third]
    table = fairness(frame)
    whole = table[table["comparison"] == "range"].set_index("criterion")
    pairs = table[table["comparison"] == "pair"]
    for criterion in CRITERIA:
        of_range = whole.loc[criterion].set_index("definition")["estimate"]
        sizes = pairs[pairs["criterion"] == criterion].groupby("definition")["estimate"].max()
        assert of_range["worst_class"] == pytest.approx(sizes["worst_class"])
        assert "signed" not in of_range


# ------------------------------------------------------------------------- intervals and p-values


@pytest.mark.parametrize("criterion", list(CRITERIA))
def test_intervals_draw_whole_subjects(criterion):
    """Against scikit-learn on the rows of subjects drawn as often as the weights say."""
    from facebias.evaluation import resampling

    frame = frame_of(2, missing=0.1, n_samples=20)
    counted = counts.count(scored.scored(frame), ranked=True)
    by_group = {}
    for group, part in frame.groupby("gender"):
        subjects = np.unique(part["subject"])
        drawn = resampling.weights(subjects, resamples=30, seed=5)
        by_group[group] = counted.of(subjects).summed(drawn), drawn, part, subjects
    found = gaps.between(
        [by_group[group][0] for group in ("female", "male")],
        criteria=fairness_criteria.of_labels(exclusive=False, ranked=True),
    )[criterion, "signed"]
    for take in range(31):
        means = []
        for group in ("female", "male"):
            _, drawn, part, subjects = by_group[group]
            times = dict(zip(subjects, drawn[take].astype(int), strict=True))
            rows = part.loc[part.index.repeat(part["subject"].map(times))]
            means.append(np.mean([slow(CRITERIA[criterion], rows, unit) for unit in UNITS]))
        assert found[take] == pytest.approx(means[0] - means[1])


@pytest.mark.parametrize("name", list(rates.CURVED))
def test_standard_errors_are_those_of_the_derivatives(name):
    frame = frame_of(5, n_subjects=8, n_samples=12, missing=0.2)
    counted = counts.count(scored.scored(frame), ranked=True)
    members = np.array([[1, 1, 1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 0, 1, 1, 0]], float)
    measured = standard_errors.measure(name, members, counted.table, counted.concordance)
    np.testing.assert_allclose(measured.rate, rates.rate(name, counted.summed(members)))
    step = 1e-6
    kept = np.array([True, False, True])
    for take, inside in enumerate(members):
        moved = np.stack(
            [
                (
                    rates.rate(name, counted.summed((inside + step * one)[None]))[0]
                    - rates.rate(name, counted.summed((inside - step * one)[None]))[0]
                )
                / (2 * step)
                for one in np.eye(8)
            ]
        )
        n = inside.sum()
        expected = (inside[:, None] * moved**2).sum(axis=0) * n / (n - 1)
        np.testing.assert_allclose(measured.variance[take], expected, rtol=1e-5)
        of_mean = (inside * moved[:, kept].mean(axis=1) ** 2).sum() * n / (n - 1)
        assert measured.variance_of_mean(kept)[take] == pytest.approx(of_mean, rel=1e-5)


@pytest.mark.parametrize("criterion", list(CRITERIA))
def test_p_values_come_from_permuting_subjects(criterion):
    """By the slow way: every split of ten people into five and five, counted anew."""
    frame = frame_of(6, n_samples=12, missing=0.1)
    table = fairness(frame)
    subjects = {group: np.unique(part["subject"]) for group, part in frame.groupby("gender")}
    everybody = np.concatenate([subjects["female"], subjects["male"]])
    counted = counts.count(scored.scored(frame), ranked=True)
    sizes = []
    for chosen in itertools.combinations(everybody, 5):
        parts = [counted.of(np.array(chosen)), counted.of(np.setdiff1d(everybody, chosen))]
        measured = [
            standard_errors.measure(
                CRITERIA[criterion], np.ones((1, 5)), part.table, part.concordance
            )
            for part in parts
        ]
        gap = np.mean(measured[0].rate[0] - measured[1].rate[0])
        every = np.ones(3, dtype=bool)
        error = np.sqrt(sum(one.variance_of_mean(every)[0] for one in measured))
        sizes.append((set(chosen) == set(subjects["female"]), abs(gap) / error))
    (own,) = [size for same, size in sizes if same]
    expected = np.mean([size >= own * (1 - 1e-9) for _, size in sizes])
    found = row(table, criterion)
    assert found["p_value"] == pytest.approx(expected)
    assert found["p_floor"] == permutation.floor((5, 5))


def test_p_values_hold_their_level_where_groups_do_not_differ():
    hits = dict.fromkeys(CRITERIA, 0)
    asked = {name: fairness_criteria.OF_UNITS[name] for name in CRITERIA}
    for seed in range(120):
        frame = scored.units(np.random.default_rng([9, seed]), n_subjects=12, n_samples=8)
        counted = counts.count(scored.scored(frame), ranked=True)
        names = [np.unique(part["subject"]) for _, part in frame.groupby("gender")]
        permuted = permutation.assignments(names, draws=999, seed=1)
        people = counted.take(np.searchsorted(counted.subjects, np.concatenate(names)))
        found = gaps.studentised(
            permuted.members, people.table, criteria=asked, concordance=people.concordance
        )
        for criterion in CRITERIA:
            chance = permutation.compare(*found[criterion, "signed"], permuted, signed=True)
            hits[criterion] += chance.p_value <= 0.1
    # 12 expected of 120; more than 22 come by chance in about 1 of 500 such tests.
    assert max(hits.values()) <= 22
    assert min(hits.values()) >= 2


# ---------------------------------------------------------------------------------- other tables


def test_diagnostics_hold_the_gaps_that_counts_give():
    frame = pd.concat(
        [frame_of(7, n_subjects=12, n_samples=10).assign(seed=seed) for seed in (1, 2)]
    )
    data = scored.scored(frame)
    found = attributes.grouping(frame, "gender")
    evaluation = scored.EVALUATION
    table = redraws.redraws({"vgg16": counts.count(data)}, found, "regular", evaluation=evaluation)
    parted = seed_counts.count(data, dict.fromkeys(frame["subject"], 0))
    split = variance.variance(parted, found, MODEL, evaluation=evaluation)
    for named in (table, split):
        assert set(named["criterion"]) == set(fairness_criteria.of_labels(exclusive=False))
    signed = table[(table["criterion"] == "f1_skew_normalised_gap") & (table["n_drawn"] == 6)]
    signed = signed[signed["definition"] == "signed"].iloc[0]
    assert signed["verdict"] in redraws.SIDES.values()
    whole = fairness(frame)
    assert signed["estimate"] == pytest.approx(row(whole, "f1_skew_normalised_gap")["estimate"])
    total = split[(split["criterion"] == "f1_gap") & (split["definition"] == "signed")]
    assert total["estimate"].dropna().iloc[0] == pytest.approx(row(whole, "f1_gap")["estimate"])


def test_trends_are_those_of_means_over_samples():
    frame = frame_of(8, n_subjects=16)
    ages = 20 + 3 * frame["subject"].str[1:].astype(float)
    frame["age"] = ages
    table = groups.fairness(
        counts.count(scored.scored(frame), ranked=True),
        attributes.grouping(frame, "age", bins={"age": (0, 40, 100)}),
        MODEL,
        evaluation=scored.EVALUATION,
    )
    trends = set(table.loc[table["definition"] == "trend", "criterion"])
    assert "f1_gap" in trends
    assert not {"auc_gap", "f1_skew_normalised_gap"} & trends


def test_selection_rates_of_units_are_known_by_group_and_compared():
    frame = scored.units(np.random.default_rng(4), n_subjects=20, n_samples=10)
    data, grouped = scored.scored(frame), attributes.grouping(frame, "gender")
    model = {"architecture": "vgg16", "train_split": "regular"}
    measured = by_group.metrics(data, [grouped], model, evaluation=scored.EVALUATION)
    chosen = (measured["metric"] == "selection_rate") & (measured["attribute"] == "gender")
    found = measured[chosen].pivot(index="label", columns="group", values="value")
    for name in found.index:
        known = frame.dropna(subset=f"label_{name}")
        wanted = (known[f"score_{name}"] >= 0.5).groupby(known["gender"]).mean()
        assert found.loc[name].to_dict() == pytest.approx(wanted.to_dict())
    gaps_found = groups.fairness(counts.count(data), grouped, model, evaluation=scored.EVALUATION)
    row = gaps_found[
        (gaps_found["criterion"] == "demographic_parity") & (gaps_found["definition"] == "signed")
    ]
    difference = found["female"] - found["male"]
    assert row["estimate"].item() == pytest.approx(difference.mean())
    assert row["p_value"].notna().all()
