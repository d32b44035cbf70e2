"""Sources of variance: known components come back, and what one seed cannot tell is missing."""

import dataclasses

import diagnosed
import numpy as np
import pytest

import scored
from facebias import tables
from facebias.evaluation import (
    attributes,
    components,
    counts,
    fairness_criteria,
    gaps,
    resampling,
    seeds,
    variance,
)

MODEL = {"architecture": "vgg16", "train_split": "regular"}
SIGNED = ("equal_opportunity", "signed")


def made(*, folds=1, n=24, **changes):
    """Counts per subject and seed of both groups, and of everybody."""
    manifest = diagnosed.people(n=n)
    people = manifest["subject"].unique()
    places = {subject: i // 2 % folds for i, subject in enumerate(people)}
    found = attributes.grouping(manifest, "gender")
    scores = diagnosed.scores(manifest, **changes)
    everybody = seeds.count(scores, places)
    return scores, found, everybody, [everybody.of(names) for names in found.members.values()]


def split(table, source, key=SIGNED):
    chosen = table[
        (table["criterion"] == key[0])
        & (table["definition"] == key[1])
        & (table["source"] == source)
    ]
    assert len(chosen) == 1
    return chosen.iloc[0]


def table_of(everybody, found, **changes):
    evaluation = dataclasses.replace(scored.EVALUATION, **changes)
    return variance.variance(everybody, found, MODEL, evaluation=evaluation)


# ------------------------------------------------------------------------------------------- counts


def test_counts_of_seeds_average_to_the_counts_of_the_study():
    scores, _, everybody, _ = made(n_seeds=3)
    counted = counts.count(scores)
    assert everybody.subjects.tolist() == counted.subjects.tolist()
    assert everybody.table.mean(axis=1) == pytest.approx(counted.table)
    for position, seed in enumerate(everybody.seeds):
        alone = counts.count(scores.where(scores.seed == seed))
        assert (everybody.table[:, position] == alone.table).all()


def test_estimate_is_the_gap_of_the_study():
    scores, found, everybody, _ = made()
    counted = counts.count(scores)
    summed = [counted.of(names).table.sum(axis=0)[None] for names in found.members.values()]
    table = table_of(everybody, found)
    for key, value in gaps.between(summed).items():
        assert split(table, "total", key)["estimate"] == pytest.approx(value[0])


# ---------------------------------------------------------------------------------------- influence


def test_influence_on_a_balanced_gap_is_each_subjects_own_rate():
    *_, parts = made(n=12)
    for sign, part, moved in zip((1, -1), parts, variance.influence(parts)[SIGNED], strict=True):
        # Every subject shows every label as often: the gap is a difference of means of subjects.
        rates = part.table[..., 0] / part.table[..., [0, 2]].sum(axis=-1)
        own = rates.mean(axis=-1)
        assert moved == pytest.approx(sign * (own - own.mean()), abs=1e-4)


@pytest.mark.parametrize(
    "key", [key for key in fairness_criteria.defined() if key[0] != "demographic_parity"]
)
def test_influences_cancel_and_tell_what_a_changed_weight_does(key):
    *_, parts = made(n=10, gap=0.3)
    moved = variance.influence(parts)[key]
    for each in moved:
        assert each.mean() == pytest.approx(0, abs=1e-4)
    weights = np.ones(len(parts[0].subjects))
    weights[0] = 1.01
    changed = [np.einsum("s,srlk->lk", weights, parts[0].table), parts[1].table.sum(axis=(0, 1))]
    whole = [part.table.sum(axis=(0, 1)) for part in parts]
    before, after = (gaps.between([t[None] for t in both])[key][0] for both in (whole, changed))
    predicted = 0.01 * moved[0][0].sum() / moved[0].size
    assert after - before == pytest.approx(predicted, abs=2e-5)


# --------------------------------------------------------------------------------------- components


def draw(random, n, n_seeds, *, subjects=0.3, training=0.1, rest=0.2, folds=(1, 0.0, 0.0)):
    """What subjects and seeds add to a gap between two groups of ``n``, with known spreads."""
    k, of_folds, of_models = folds
    places = np.arange(n) % k
    parts = []
    for sign in (1, -1):
        values = random.normal(0, subjects, (n, 1)) + random.normal(0, training, n_seeds)
        values = values + random.normal(0, of_folds, k)[places][:, None]
        values = values + random.normal(0, of_models, (k, n_seeds))[places]
        parts.append(sign * (values + random.normal(0, rest, (n, n_seeds))))
    return parts, [places, places]


def means(monkeypatch, studies, *arguments, **changes):
    """Mean components of many drawn studies, not cut at 0."""
    monkeypatch.setattr(components, "_at_least_0", float)
    random = np.random.default_rng(6)
    found = [components.components(*draw(random, *arguments, **changes)) for _ in range(studies)]
    return {name: np.mean([getattr(one, name) for one in found]) for name in components.PARTS}


def test_known_components_are_recovered(monkeypatch):
    found = means(monkeypatch, 2000, 8, 4)
    assert found["subjects"] == pytest.approx(2 * 0.3**2 / 8, rel=0.05)
    assert found["seeds"] == pytest.approx(2 * 0.1**2, rel=0.08)
    assert found["interaction"] == pytest.approx(2 * 0.2**2 / 8, rel=0.05)
    assert np.isnan(found["folds"])


def test_known_components_of_folds_are_recovered(monkeypatch):
    found = means(monkeypatch, 2000, 12, 3, folds=(4, 0.15, 0.1))
    assert found["subjects"] == pytest.approx(2 * 0.3**2 / 12, rel=0.05)
    assert found["folds"] == pytest.approx(2 * 0.15**2 / 4, rel=0.15)
    # Retraining changes all folds: what seeds share, and what each model has of its own.
    assert found["seeds"] == pytest.approx(2 * (0.1**2 + 0.1**2 / 4), rel=0.08)
    assert found["interaction"] == pytest.approx(2 * 0.2**2 / 12, rel=0.05)


def test_one_seed_leaves_the_interaction_in_the_subjects(monkeypatch):
    found = means(monkeypatch, 2000, 12, 1, folds=(4, 0.15, 0.0))
    assert found["subjects"] == pytest.approx(2 * (0.3**2 + 0.2**2) / 12, rel=0.05)
    assert found["folds"] == pytest.approx(2 * 0.15**2 / 4, rel=0.15)
    assert np.isnan(found["seeds"])
    assert np.isnan(found["interaction"])


def test_mean_squares_are_those_of_a_slow_loop():
    random = np.random.default_rng(7)
    values, places = random.normal(size=(7, 3)), np.array([0, 0, 0, 1, 1, 1, 1])
    between = rest = 0.0
    for fold in (0, 1):
        inside = values[places == fold]
        for row in inside:
            between += 3 * (row.mean() - inside.mean()) ** 2
            for seed in range(3):
                expected = row.mean() + inside[:, seed].mean() - inside.mean()
                rest += (row[seed] - expected) ** 2
    assert components._mean_squares(values, places) == pytest.approx((between / 5, rest / (5 * 2)))


def test_parts_add_up_to_the_total_and_shares_to_1():
    table = diagnosed.variance_table(folds=4)
    for _, rows in table.groupby([*tables.GAP]):
        parts = rows.set_index("source")
        for ending in ("", "_one_seed"):
            alone = parts.drop(index="total")
            total = parts.loc["total", f"variance{ending}"]
            assert alone[f"variance{ending}"].sum() == pytest.approx(total)
            assert alone[f"share{ending}"].sum() == pytest.approx(1)
        assert parts.loc["seeds", "variance"] == pytest.approx(
            parts.loc["seeds", "variance_one_seed"] / 3
        )


def test_seeds_that_say_the_same_add_nothing():
    manifest = diagnosed.people()
    once = diagnosed.scores(manifest, n_seeds=1)
    rows = np.tile(np.arange(len(once.sample)), 3)
    copies = once.where(rows)
    copies.seed[:] = np.repeat([1, 2, 3], len(once.sample))
    found = attributes.grouping(manifest, "gender")
    everybody = seeds.count(copies, dict.fromkeys(once.subject, 0))
    table = table_of(everybody, found)
    assert split(table, "seeds")["variance"] == pytest.approx(0, abs=1e-9)
    assert split(table, "interaction")["variance"] == pytest.approx(0, abs=1e-9)
    assert split(table, "subjects")["share"] == pytest.approx(1)
    assert split(table, "seeds")["ci_low"] == pytest.approx(split(table, "seeds")["ci_high"])


def test_seeds_that_differ_much_are_most_of_the_variance():
    _, found, everybody, _ = made(n_seeds=6, of_seeds=0.3, of_subjects=0.0)
    table = table_of(everybody, found)
    assert split(table, "seeds")["share_one_seed"] > 0.7
    both, people = split(table, "total"), split(table, "subjects")
    assert both["ci_high"] - both["ci_low"] > 1.5 * (people["ci_high"] - people["ci_low"])


# ---------------------------------------------------------------------------------------- intervals


def test_drawing_subjects_alone_gives_the_interval_of_the_gap():
    scores, found, everybody, _ = made()
    counted = counts.count(scores)
    drawn = []
    for names in found.members.values():
        weights = resampling.weights(names, resamples=200, seed=5)
        drawn.append(resampling.weighted(weights, counted.of(names).table))
    low, high = resampling.interval(gaps.between(drawn)[SIGNED], confidence=0.95, subjects=12)
    row = split(table_of(everybody, found), "subjects")
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))


def test_both_drawn_are_products_of_the_numbers_of_times():
    *_, parts = made(n=10)
    table = parts[0].table
    random = np.random.default_rng(8)
    people = random.integers(0, 3, (4, len(table))).astype(float)
    training = random.integers(1, 3, (4, 3)).astype(float)
    found = variance._crossed(people, training, table)
    for take in range(4):
        slow = sum(
            people[take, s] * training[take, r] * table[s, r]
            for s in range(len(table))
            for r in range(3)
        )
        assert found[take] == pytest.approx(slow / training[take].sum())


def test_interval_of_both_holds_the_truth():
    """Three seeds with an advantage of their own: subjects alone miss it too often."""
    inside = {"subjects": 0, "total": 0}
    studies = 60
    for seed in range(studies):
        _, found, everybody, _ = made(
            n_seeds=3, gap=0.0, of_seeds=0.12, of_subjects=0.05, seed=100 + seed
        )
        table = table_of(everybody, found, resamples=150)
        for source in inside:
            row = split(table, source)
            inside[source] += row["ci_low"] <= 0 <= row["ci_high"]
    assert inside["total"] / studies > 0.88
    assert inside["subjects"] / studies < 0.85


def test_interval_of_both_is_widened_by_its_degrees_of_freedom():
    _, found, everybody, parts = made(n_seeds=3, of_seeds=0.2)
    moved = variance.influence(parts)[SIGNED]
    freedom = components.freedom(moved, [part.folds for part in parts])
    assert 1 + freedom < 12
    settings = {"resamples": 200, "seed": 5}
    training = resampling.weights(np.array([f"seed {s}" for s in (1, 2, 3)]), **settings)
    people = [resampling.weights(part.subjects, **settings) for part in parts]
    drawn = [variance._crossed(w, training, p.table) for w, p in zip(people, parts, strict=True)]
    ends = resampling.interval(gaps.between(drawn)[SIGNED], confidence=0.95, subjects=1 + freedom)
    row = split(table_of(everybody, found), "total")
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(ends)


def test_degrees_of_freedom_are_those_of_the_formula():
    """Satterthwaite: subjects, less what is theirs by chance, and seeds."""
    random = np.random.default_rng(3)
    values = random.normal(0, 2, size=(6, 1)) + random.normal(size=(6, 3))
    own = values - values.mean(axis=0)
    between = 3 * (own.mean(axis=1) ** 2).sum() / 5
    rest = ((own - own.mean(axis=1, keepdims=True)) ** 2).sum() / (5 * 2)
    seeds = values.mean(axis=0).var(ddof=1)
    terms = np.array([between / 18, -rest / 18, seeds / 3])
    expected = terms.sum() ** 2 / (terms**2 / [5, 10, 2]).sum()
    assert components.freedom([values], [np.zeros(6, int)]) == pytest.approx(max(1, expected))
    assert expected > 1


def test_degrees_of_freedom_lie_between_those_of_seeds_and_of_subjects():
    random = np.random.default_rng(9)
    people, places = draw(random, 10, 3, training=0.0, rest=0.01)
    assert components.freedom(people, places) == pytest.approx(18, abs=6)
    training, places = draw(random, 10, 3, subjects=0.0, training=1.0, rest=0.01)
    assert components.freedom(training, places) == pytest.approx(2, abs=0.1)


# ------------------------------------------------------------------------------ what cannot be told


def test_one_seed_and_one_fold_are_missing_and_say_why():
    table = diagnosed.variance_table(n_seeds=1)
    for source in ("seeds", "folds", "interaction"):
        rows = table[table["source"] == source]
        assert rows[["variance", "share", "variance_one_seed", "ci_low"]].isna().all(axis=None)
        assert rows["note"].str.startswith("one ").all()
    whole, people = (
        table[table["source"] == source].reset_index(drop=True) for source in ("total", "subjects")
    )
    assert (whole["note"] == "without folds and seeds").all()
    assert (people["note"] == "holds the interaction").all()
    for name in ("variance", "ci_low", "ci_high", "estimate"):
        assert whole[name].to_numpy() == pytest.approx(people[name].to_numpy())


def test_fold_without_anybody_of_a_group_has_no_component():
    manifest = diagnosed.people()
    found = attributes.grouping(manifest, "gender")
    places = {s: int(s in found.members["male"]) for s in manifest["subject"].unique()}
    everybody = seeds.count(diagnosed.scores(manifest), places)
    table = table_of(everybody, found)
    assert np.isnan(split(table, "folds")["variance"])
    assert split(table, "folds")["note"]
    assert split(table, "subjects")["variance"] > 0


def test_group_too_small_is_not_estimable():
    manifest = diagnosed.people(n=8)
    manifest.loc[manifest["subject"].isin(["p00", "p02"]), "gender"] = "other"
    found = attributes.grouping(manifest, "gender")
    everybody = seeds.count(diagnosed.scores(manifest), dict.fromkeys(manifest["subject"], 0))
    table = table_of(everybody, found, min_subjects=3)
    few = table[table["second"] == "other"]
    assert few[["variance", "estimate", "ci_low"]].isna().all(axis=None)
    assert few["note"].str.contains("other: 2 subjects, 3 needed").all()


def test_gaps_that_are_0_by_construction_are_not_listed():
    table = diagnosed.variance_table()
    listed = set(table[["criterion", "definition"]].itertuples(index=False, name=None))
    assert ("demographic_parity", "signed") not in listed
    assert ("demographic_parity", "worst_class") in listed
