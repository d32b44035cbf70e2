"""What a study can find: detectable gaps, the planner, simulated people and the calibration."""

import numpy as np
import pytest

import scored
from facebias.evaluation import (
    attributes,
    calibration,
    counts,
    designs,
    detectable,
    fairness_criteria,
    gaps,
    groups,
    permutation,
    planning,
    simulation,
)
from facebias.evaluation.simulation import Population
from facebias.study import StudyError

MODEL = {"architecture": "vgg16", "train_split": "regular"}


def drawn(sizes, seed, *, gap=0.0, population=None):
    random = np.random.default_rng(seed)
    return simulation.draw([population or Population()] * 2, sizes, random, lower=(0.0, gap))


# -------------------------------------------------------------------------------- simulated people


def test_simulated_people_have_the_rate_and_the_correlation_asked_for():
    people = Population(samples=(4, 4), rate=0.6, correlation=0.3, between_labels=0.0)
    (part,) = simulation.draw([people], [4000], np.random.default_rng(1), lower=[0.1])
    found = planning.population(part)
    assert found.rate == pytest.approx(0.5, abs=0.015)
    assert found.correlation == pytest.approx(0.3, abs=0.02)
    assert found.samples == (4, 4)
    assert found.labels == 4


def test_counts_of_simulated_people_agree_with_one_another():
    part, _ = drawn((6, 6), 3)
    counted = part.table
    assert (part.confusion.sum(axis=(1, 2)) == part.samples).all()
    assert (counted.sum(axis=2) == part.samples[:, None]).all()
    assert (counted[..., 0].sum(axis=1) + counted[..., 1].sum(axis=1) == part.samples).all()
    assert len(np.unique(np.concatenate([p.subjects for p in drawn((6, 6), 3)]))) == 12


def test_people_who_are_all_alike_can_be_drawn():
    (part,) = simulation.draw(
        [Population(correlation=0)], [500], np.random.default_rng(1), lower=[0.0]
    )
    assert planning.population(part).correlation == pytest.approx(0, abs=0.03)


# --------------------------------------------------------------------------------- detectable gaps


NULLS, FOUND = 20, 200
UNITS = Population(exclusive=False, samples=(10, 14))
# A power of .8 is known to .03 from FOUND studies. Of five people no spread is sure: more is found.
DESIGNS = {
    # name: people, sizes, criterion and definition, tests
    "10 + 10": (Population(), (10, 10), ("equalized_odds", "per_class_mean"), 1),
    "10 + 10, six tests": (
        Population(), (10, 10), ("equalized_odds", "per_class_mean"), 6,
    ),
    "5 + 30": (Population(), (5, 30), ("equalized_odds", "per_class_mean"), 1),
    "7 labels": (
        Population(labels=7), (10, 10), ("equal_opportunity", "per_class_mean"), 1,
    ),
    "one label": (Population(), (10, 10), ("equal_opportunity", "worst_class"), 1),
    "units": (UNITS, (12, 12), ("equal_opportunity", "per_class_mean"), 1),
    "alike": (
        Population(correlation=0.5, between_labels=0.7),
        (15, 15), ("equal_opportunity", "signed"), 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DESIGNS)
def test_detectable_gaps_are_found_in_about_80_of_100_studies(name):
    """Power at the mean of what studies without a gap print, after correction.

    In this order, .62, .34, .72, .70, .72, .68 and .69 of 400 studies found what the normal formula
    without correction printed, and .85, .80, .93, .85, .81, .81 and .77 what is printed now.
    """
    people, sizes, key, tests = DESIGNS[name]
    printed = float(np.mean([_detectable(people, sizes, key, tests, k) for k in range(NULLS)]))
    # A label that is recognised less often is a false alarm of the others.
    if key[0] == "equalized_odds":
        printed *= (people.labels - 1) / people.labels
    alone = (printed, *[0.0] * (people.labels - 1))
    plan = planned_by(
        population=people,
        gap=alone if key[1] == "worst_class" else (printed,) * people.labels,
        ratio=sizes[1] / sizes[0],
        criterion=key[0],
        definition=key[1],
        level=0.05 / tests,
        studies=FOUND,
    )
    most = 0.95 if min(sizes) < 10 else 0.9
    assert 0.75 <= planning.power(plan, sizes[0]) <= most


def planned_by(**changes):
    plain = {
        "population": Population(),
        "gap": (0.3,) * 4,
        "ratio": 1.0,
        "criterion": "equalized_odds",
        "definition": "per_class_mean",
        "level": 0.05,
        "studies": 100,
        "seed": 2,
    }
    return planning.Plan(**{**plain, **changes})


def _detectable(people, sizes, key, tests, seed):
    parts = drawn(sizes, [1, seed], population=people)
    table = np.concatenate([part.table for part in parts])
    criteria = {key[0]: fairness_criteria.of_labels(exclusive=people.exclusive)[key[0]]}
    kept = gaps.kept([part.table for part in parts], criteria=criteria, fewest=2)
    permuted = permutation.assignments(
        [part.subjects for part in parts], draws=1999, seed=1, most=2000
    )
    found = gaps.by_chance(permuted, table, criteria=criteria, kept=kept)[key]
    chance = permutation.compare(*found, permuted, signed=key[1] == "signed")
    return detectable.of_gaps(
        parts, {key: chance}, criteria=criteria, kept=kept, level=0.05 / tests, seed=1
    )[key]


def test_more_declared_gaps_make_the_detectable_one_larger():
    frame = scored.classes(np.random.default_rng(3), n_subjects=20)
    counted = counts.count(scored.scored(frame))
    grouped = attributes.grouping(frame, "gender")
    one, six = (
        groups.fairness(counted, grouped, MODEL, evaluation=scored.EVALUATION, tests=tests)
        for tests in (1, 6)
    )
    both = one["detectable"].notna() & six["detectable"].notna()
    assert both.any()
    assert (six["detectable"] > one["detectable"])[both].all()


def test_detectable_shift_of_normal_estimates_is_that_of_textbooks():
    random = np.random.default_rng(1)
    values, errors = random.standard_normal(20_001), np.ones(20_001)
    values[0] = 0.0
    chance = permutation.compare(
        values, errors, permutation.drawn(floor=0, draws=20_000), signed=True
    )
    found = detectable.of_shift(values, errors, chance, level=0.05, subjects=100_000)
    assert found == pytest.approx(1.96 + 0.84, abs=0.06)


def test_nothing_is_detectable_where_no_p_value_can_be_small_enough():
    frame = scored.classes(np.random.default_rng(3), n_subjects=6)
    table = groups.fairness(
        counts.count(scored.scored(frame)),
        attributes.grouping(frame, "gender"),
        MODEL,
        evaluation=scored.EVALUATION,
    )
    known = table[table["estimate"].notna()]
    assert (known["p_floor"] >= 2 / 20 - 1e-12).all()
    assert known["detectable"].isna().all()
    averaged = known[known["definition"] != "per_label"]
    assert averaged["note"].str.contains("rough interval: only 100 different resamples").all()


# -------------------------------------------------------------------------------------- the planner


def planned(capsys, *arguments):
    planning.main([*arguments, "--studies", "60"])
    return capsys.readouterr().out


def test_planner_prints_the_power_and_the_subjects_needed(capsys):
    said = planned(capsys, "--subjects", "4", "30", "--gap", "0.4")
    lines = said.splitlines()
    small, large = (float(line.split()[1]) for line in lines[3:5])
    assert small < large == 1.0
    needed = int(lines[5].split("about ")[1].split()[0])
    assert 4 < needed <= 16
    assert "correlation within subject and label 0.25" in said


def test_more_tests_need_more_subjects(capsys):
    one = planned(capsys, "--gap", "0.4").splitlines()[-1]
    six = planned(capsys, "--gap", "0.4", "--tests", "6").splitlines()[-1]
    assert int(one.split("about ")[1].split()[0]) < int(six.split("about ")[1].split()[0])


def test_power_is_0_where_the_level_cannot_be_reached(capsys):
    said = planned(capsys, "--subjects", "3", "--gap", "0.5")
    assert said.splitlines()[3].split()[:2] == ["3", "0.00"]
    assert "no p-value below 0.1: too few" in said


def test_power_does_not_vanish_where_assignments_are_drawn_for_many_tests():
    # Of seven against seven all are listed, of eight against eight some are drawn.
    plan = planned_by(gap=(0.65,) * 4, level=0.05 / 60, studies=20, seed=1)
    listed, drawn_at_random = planning.power(plan, 7), planning.power(plan, 8)
    assert listed > 0.8
    assert drawn_at_random > 0.8


def test_planner_takes_what_people_are_like_from_a_finished_study(capsys, tmp_path):
    frame = scored.classes(np.random.default_rng(2)).drop(columns="seed")
    frame.to_csv(tmp_path / "p.csv", index=False)
    said = planned(
        capsys, "--gap", "0.3", "--subjects", "5", "--predictions", str(tmp_path / "p.csv")
    )
    assert "3 labels, 1 to 2 samples of a subject per label" in said


def test_one_sample_per_subject_and_label_needs_a_correlation(tmp_path, capsys):
    people = Population(samples=(1, 1), correlation=0.3, between_labels=0.6)
    (part,) = simulation.draw([people], [3000], np.random.default_rng(4), lower=[0.0])
    with pytest.raises(StudyError, match=r"one sample per subject and label.*give --correlation"):
        planning.population(part)
    found = planning.population(part, 0.3)
    assert found.correlation == 0.3
    assert found.between_labels == pytest.approx(0.6, abs=0.15)


def test_correlation_between_labels_comes_from_the_pilot():
    people = Population(samples=(2, 3), correlation=0.3, between_labels=0.7)
    (part,) = simulation.draw([people], [3000], np.random.default_rng(5), lower=[0.0])
    assert planning.population(part).between_labels == pytest.approx(0.7, abs=0.1)
    loose = Population(samples=(2, 3), correlation=0.3, between_labels=0.0)
    (part,) = simulation.draw([loose], [3000], np.random.default_rng(5), lower=[0.0])
    assert planning.population(part).between_labels == pytest.approx(0.0, abs=0.1)


def test_simulated_units_have_the_rates_asked_for():
    people = Population(exclusive=False, samples=(10, 14), prevalence=0.2, false_alarms=0.15)
    (part,) = simulation.draw([people], [2000], np.random.default_rng(6), lower=[0.1])
    found = planning.population(part)
    assert not found.exclusive
    assert found.rate == pytest.approx(0.6, abs=0.02)
    assert found.prevalence == pytest.approx(0.2, abs=0.01)
    assert found.false_alarms == pytest.approx(0.15, abs=0.02)
    assert found.samples[0] in (11, 12)


PLANS = {
    "one sample": {"population": Population(samples=(1, 1), correlation=0.3)},
    "unequal": {"ratio": 3.0},
    "one label": {
        "gap": (0.5, 0.0, 0.0, 0.0), "criterion": "equal_opportunity",
        "definition": "worst_class",
    },
    "units": {"population": UNITS},
    "labels alike": {
        "population": Population(between_labels=0.8), "criterion": "equal_opportunity",
        "definition": "signed",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", PLANS)
def test_planned_studies_have_the_power_asked_for(name):
    plan = planned_by(**PLANS[name])
    enough = planning.needed(plan)
    again = planned_by(**PLANS[name], seed=77, studies=200)
    # 3 standard errors of the difference between 100 and 200 studies, and a person more.
    assert 0.65 <= planning.power(again, enough) <= 0.97


def test_groups_of_two_sizes_are_planned(capsys):
    said = planned(capsys, "--gap", "0.4", "--subjects", "6", "--ratio", "3")
    assert said.splitlines()[3].split()[:3] == ["6", "+", "18"]
    assert " + " in said.splitlines()[-1]


def test_more_people_than_can_be_planned_are_said_so(capsys, monkeypatch):
    monkeypatch.setattr(planning.needed, "__kwdefaults__", {"most": 8})
    said = planned(capsys, "--gap", "0.05")
    assert "more than" in said.splitlines()[-1]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--gap", "0.9"], "--gap is 0.9; expected more than 0, under 0.70"),
        (["--gap", "0.1", "0.2"], "--gap is 0.1 0.2; expected one number, or one for each of 4"),
        (["--gap", "0", "0", "0", "0"], "--gap is 0 0 0 0; expected more than 0"),
        (["--gap", "0.1", "--ratio", "0"], "--ratio is 0.0; expected 0.05 to 20"),
        (["--gap", "0.1", "--between-labels", "1"], "--between-labels is 1.0"),
        (["--gap", "0.1", "--prevalence", "0.2"], "neither without --units"),
        (["--gap", "0.1", "--tests", "600"], "--level / --tests is .*at least 1 / 10001"),
        (["--gap", "0.1", "--subjects", "1"], "--subjects is .*expected 2 or more"),
        (["--gap", "0.1", "--correlation", "1"], "--correlation is 1.0"),
        (["--gap", "0.1", "--definition", "signed"], "equalized_odds is measured as published"),
        (
            ["--gap", "0.1", "--criterion", "demographic_parity", "--definition", "published"],
            "0 by construction",
        ),
    ],
)
def test_plans_that_make_no_sense_are_refused(option, message):
    with pytest.raises(StudyError, match=message):
        planning.main(option)


# ------------------------------------------------------------------------------------- calibration


def test_rows_interval_is_fairlearns():
    # Each end moves by about 0.02 with the draw of 200 resamples.
    parts = drawn((5, 5), [4, 0], gap=0.4)
    theirs = calibration.fairlearn_interval(parts, resamples=200, seed=1)
    ours = calibration.rows_interval(parts, np.random.default_rng(1), resamples=5000)
    assert ours == pytest.approx(theirs, abs=0.06)


def test_calibration_writes_its_page(tmp_path):
    out = tmp_path / "calibration.md"
    calibration.main(
        [
            *("--studies", "12", "--subjects", "5", "--gaps", "0.3", "--resamples", "100"),
            *("--hard", "2", "--fairlearn", "0", "--out", str(out)),
        ]
    )
    text = out.read_text()
    assert "python -m facebias calibrate --studies 12" in text
    assert "12 studies per row, so a rate of 0.05 is known to\n+- 0.126 (two" in text
    assert text.count("| 5 + 5 |") == 3
    assert "| 5 + 5, gap 0.3 | 0.300 |" in text
    for design in (*calibration.UNEVEN, *designs.DESIGNS):
        assert f"| {design.name} |" in text


@pytest.mark.parametrize("gap", ["0", "0.7"])
def test_calibration_refuses_gaps_that_cannot_be_planted(gap):
    with pytest.raises(StudyError, match=f"--gaps: found {gap}; expected more than 0, under 0.70"):
        calibration.main(["--gaps", "0.1", gap])


def test_a_design_asked_for_twice_is_measured_once(capsys):
    calibration.main(
        [
            *("--studies", "10", "--subjects", "5", "5", "--gaps", "0.3", "0.3"),
            *("--resamples", "100", "--hard", "2", "--fairlearn", "0"),
        ]
    )
    assert capsys.readouterr().out.count("| 5 + 5, gap 0.3 |") == 1


def test_the_same_seed_gives_the_same_study():
    design = designs.Design(name="x", sizes=(5, 5))
    first, _ = calibration.study(design, 3, seed=1, resamples=100)
    again, _ = calibration.study(design, 3, seed=1, resamples=100)
    other, _ = calibration.study(design, 4, seed=1, resamples=100)
    assert first == again != other


def test_intervals_by_subjects_hold_the_truth_and_those_by_rows_do_less():
    """100 studies without bias, 10 + 10 subjects: 0.95 and 0.86 in docs/calibration.md."""
    design = designs.Design(name="x", sizes=(10, 10))
    found = [calibration.study(design, k, seed=9, resamples=200)[0] for k in range(100)]
    holds = {
        side: sum(one[f"{side}_low"] <= 0 <= one[f"{side}_high"] for one in found)
        for side in calibration.SIDES
    }
    assert holds["subjects"] >= 89  # 3 standard errors below 95
    assert holds["rows"] < holds["subjects"]
    alarms = sum(one["p_studentised"] <= 0.05 for one in found)
    assert alarms <= 5 + 3 * 2.2
