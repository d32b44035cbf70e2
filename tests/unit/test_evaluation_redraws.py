"""Test subjects drawn again: gaps, signs and verdicts against slow loops."""

import dataclasses

import diagnosed
import numpy as np
import pytest

import scored
from facebias import tables
from facebias.evaluation import attributes, counts, gaps, redraws, resampling

SIGNED = ("equal_opportunity", "signed")
EVALUATION = dataclasses.replace(scored.EVALUATION, resamples=150)


def made(*, n=24, **changes):
    manifest = diagnosed.people(n=n)
    scores = diagnosed.scores(manifest, **{"n_seeds": 1, **changes})
    return counts.count(scores), attributes.grouping(manifest, "gender")


def redrawn(models, found, **changes):
    evaluation = dataclasses.replace(EVALUATION, **changes)
    return redraws.redraws(models, found, "regular", evaluation=evaluation)


def row(table, size, *, key=SIGNED, architecture="vgg16"):
    chosen = table[
        (table["architecture"] == architecture)
        & (table["criterion"] == key[0])
        & (table["definition"] == key[1])
        & (table["n_drawn"] == size)
    ]
    assert len(chosen) == 1
    return chosen.iloc[0]


def slow(counted, found, size):
    """Gap and side of 0 of every redrawn test set, one person at a time."""
    drawn, weights = [], []
    for position, names in enumerate(found.members.values()):
        random = resampling.generator(np.sort(names), seed=5, what=f"redraw {size}")
        drawn.append(random.integers(len(names), size=(redraws.REDRAWS, size)))
        places = np.array([f"group {position}, place {place}" for place in range(size)])
        weights.append(resampling.weights(places, resamples=150, seed=5))
    values, sides = [], []
    parts = [counted.of(names) for names in found.members.values()]
    for take in range(redraws.REDRAWS):
        people = [part.table[places[take]] for part, places in zip(parts, drawn, strict=True)]
        resampled = [resampling.weighted(w, t) for w, t in zip(weights, people, strict=True)]
        gap = gaps.between(resampled)[SIGNED]
        low, high = resampling.interval(gap, confidence=0.95, subjects=size)
        values.append(gap[0])
        sides.append("above 0" if low > 1e-9 else "below 0" if high < -1e-9 else "includes 0")
    return np.array(values), np.array(sides)


@pytest.mark.parametrize("size", [5, 12])
def test_gaps_and_verdicts_are_those_of_a_slow_loop(size):
    counted, found = made(gap=0.15)
    values, sides = slow(counted, found, size)
    known = row(redrawn({"vgg16": counted}, found), size)
    assert known["n_redraws"] == redraws.REDRAWS
    assert known["median"] == pytest.approx(np.median(values))
    assert (known["low"], known["high"]) == pytest.approx(
        tuple(np.quantile(values, [0.025, 0.975]))
    )
    own = np.sign(known["estimate"])
    assert known["share_sign_flipped"] == pytest.approx((np.sign(values.round(9)) == -own).mean())
    for name, side in (("share_above", "above 0"), ("share_below", "below 0")):
        assert known[name] == pytest.approx((sides == side).mean())
    assert known["share_verdict_flipped"] == pytest.approx((sides != known["verdict"]).mean())


def test_verdict_of_all_tested_subjects_is_that_of_the_study():
    for gap, verdict in ((0.4, "below 0"), (-0.4, "above 0"), (0.0, "includes 0")):
        counted, found = made(gap=gap, of_seeds=0.0, of_subjects=0.02)
        parts = [counted.of(names) for names in found.members.values()]
        drawn = [
            resampling.weighted(
                resampling.weights(part.subjects, resamples=150, seed=5), part.table
            )
            for part in parts
        ]
        values = gaps.between(drawn)[SIGNED]
        low, high = resampling.interval(values, confidence=0.95, subjects=12)
        assert (low > 0, high < 0) == (verdict == "above 0", verdict == "below 0")
        table = redrawn({"vgg16": counted}, found)
        assert set(table["verdict"].dropna()) == {verdict}
        assert row(table, 12)["estimate"] == pytest.approx(values[0])


def quickly(size, **changes):
    """Gap of all tested subjects and of redrawn test sets, without their verdicts."""
    counted, found = made(**changes)
    parts = [counted.of(names) for names in found.members.values()]
    drawn = [redraws._drawn(part.subjects, size, seed=5) for part in parts]
    return redraws._gaps(parts, drawn)[SIGNED]


def test_large_gap_never_flips():
    counted, found = made(gap=0.6, of_subjects=0.02)
    sure = row(redrawn({"vgg16": counted}, found), 12)
    assert (sure["share_sign_flipped"], sure["share_verdict_flipped"]) == (0, 0)


@pytest.mark.parametrize(
    ("size", "share"), [(12, 1 / 4), (5, 1 / 2 - np.arctan(np.sqrt(5 / 12)) / np.pi)]
)
def test_sign_of_a_gap_that_is_not_there_flips_as_often_as_it_must(size, share):
    """Of two normal means with the truth 0, one drawn around the other; ties count half."""
    flips = []
    for seed in range(100):
        values = quickly(size, gap=0.0, of_seeds=0.0, seed=seed).round(9)
        if values[0]:
            other = np.sign(values[1:]) * np.sign(values[0])
            flips.append((other < 0).mean() + (other == 0).mean() / 2)
    assert np.mean(flips) == pytest.approx(share, abs=0.06)


def test_model_that_is_always_right_has_an_interval_that_includes_0():
    counted, found = made(gap=-1.0, of_seeds=0.0, of_subjects=0.0)
    table = counted.table.copy()
    table[..., 0] += table[..., 2]
    table[..., 3] += table[..., 1]
    table[..., [1, 2]] = 0
    sure = row(redrawn({"vgg16": dataclasses.replace(counted, table=table)}, found), 5)
    assert (sure["verdict"], sure["share_open"]) == ("includes 0", 1)
    assert np.isnan(sure["share_sign_flipped"])


def test_fewer_test_subjects_spread_wider():
    counted, found = made(n=48)
    table = redrawn({"vgg16": counted}, found)
    widths = [row(table, size)["high"] - row(table, size)["low"] for size in (5, 10, 20, 24)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] / widths[2] == pytest.approx(2, rel=0.2)


def test_redrawn_test_sets_vary_as_new_people_would():
    """As many as were tested drawn again; subsets of them without replacement would not vary."""
    studies = [quickly(12, of_seeds=0.0, seed=seed) for seed in range(80)]
    new_people = np.std([values[0] for values in studies])
    drawn_again = np.mean([values[1:].std() for values in studies])
    assert drawn_again == pytest.approx(new_people, rel=0.2)


def test_smallest_gap_is_shared_out_among_architectures():
    manifest = diagnosed.people()
    found = attributes.grouping(manifest, "gender")
    models = {
        "vgg16": counts.count(diagnosed.scores(manifest, gap=0.0, of_seeds=0.0, n_seeds=1)),
        "cnn3d": counts.count(diagnosed.scores(manifest, gap=0.5, of_seeds=0.0, n_seeds=1)),
    }
    table = redrawn(models, found)
    for _, rows in table.groupby(["criterion", "definition", "n_drawn"]):
        assert rows["share_smallest"].sum() == pytest.approx(1)
    assert row(table, 12)["share_smallest"] > 0.9
    copies = redrawn({"vgg16": models["vgg16"], "copy": models["vgg16"]}, found)
    assert (copies["share_smallest"] == 0.5).all()
    alone = redrawn({"vgg16": models["vgg16"]}, found)
    assert alone["share_smallest"].isna().all()


def test_gaps_that_differ_in_the_last_bits_are_ties():
    values = {"vgg16": np.array([0.3, 0.9 - 0.8]), "cnn3d": np.array([0.3, 0.1 - 0.0])}
    shares = redraws._smallest({name: {SIGNED: value} for name, value in values.items()})
    assert values["vgg16"][1] != values["cnn3d"][1]
    assert set(shares.values()) == {0.5}


def test_size_of_a_gap_has_no_verdict():
    counted, found = made()
    known = row(redrawn({"vgg16": counted}, found), 5, key=("equalized_odds", "per_class_mean"))
    assert known["median"] > 0
    assert np.isnan(known["share_sign_flipped"])
    assert known["note"] == redraws.NO_SIGN


def test_shares_of_verdicts_add_up_to_1():
    table = diagnosed.redraw_table()
    known = table.dropna(subset="share_open")
    assert len(known) == 3 * 2 * 4 * 3
    total = known[["share_above", "share_below", "share_open"]].sum(axis=1)
    assert total.to_numpy() == pytest.approx(1)
    tables.check(table, tables.REDRAWS)


def test_group_too_small_is_not_estimable():
    manifest = diagnosed.people(n=8)
    manifest.loc[manifest["subject"].isin(["p00", "p02"]), "gender"] = "other"
    found = attributes.grouping(manifest, "gender")
    counted = counts.count(diagnosed.scores(manifest, n_seeds=1))
    table = redrawn({"vgg16": counted}, found)
    few = table[table["second"] == "other"]
    assert few[["estimate", "low", "share_open"]].isna().all(axis=None)
    assert (few["n_drawn"] == 0).all()
    assert few["note"].str.contains("other: 2 subjects, 3 needed").all()


def test_label_that_a_group_lacks_is_missing_in_some_test_sets():
    manifest = diagnosed.people(n=24)
    women = manifest["gender"] == "female"
    only = manifest["subject"].isin(["p00", "p02"])
    manifest = manifest[~(women & ~only & (manifest["label"] == "rage"))].reset_index(drop=True)
    counted = counts.count(diagnosed.scores(manifest, n_seeds=1))
    known = row(redrawn({"vgg16": counted}, attributes.grouping(manifest, "gender")), 5)
    # Both women with rage are passed over with probability (10/12)^5.
    assert known["n_redraws"] / redraws.REDRAWS == pytest.approx(1 - (10 / 12) ** 5, abs=0.08)
    assert known["share_above"] + known["share_below"] + known["share_open"] == pytest.approx(1)


@pytest.mark.parametrize("rate", ["tpr", "f1_skew_normalised"])
def test_one_sample_makes_a_rate_of_a_label_known(rate):
    table = np.zeros((2, 3, 4))
    table[0, 0, 0] = table[1, 1, 2] = 1  # found of the first label, missed of the second
    table[:, :2, 3] = 1  # and what is of neither
    assert redraws._Rated.of(rate, table).known.tolist() == [True, True, False]
