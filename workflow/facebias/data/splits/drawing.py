"""Drawing of subjects: hold-outs, folds, train splits and those for validation.

Everything is drawn by subject and seeded by name: a draw depends on the splits' seed, on what is
drawn and on the subjects it is drawn from, never on the order of rows or on other splits.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from facebias import tables
from facebias.data.splits.conditions import selected, selects
from facebias.data.splits.references import (
    MATCHED,
    SMALLEST,
    SplitError,
    check_named,
    in_order,
    sized_by,
)
from facebias.data.splits.roles import check_disjoint
from facebias.study import Holdout, Rotation, Split, Splits, TrainSplits


def draw(splits: TrainSplits, seeds: Sequence[int], subjects: pd.DataFrame) -> pd.DataFrame:
    """Assign every subject its role for each train split, fold and seed.

    Parameters
    ----------
    splits
        The declared splits.
    seeds
        Seeds of the models; the validation subjects are drawn anew for each.
    subjects
        One row per subject: ``subject`` and the attributes.

    Returns
    -------
    A ``tables.SPLITS`` table.

    Raises
    ------
    SplitError
        If a split selects nobody, asks for more subjects than there are, or overlaps the test
        subjects.
    """
    subjects = subjects.sort_values("subject", ignore_index=True)
    rows = []
    for fold, held_out in enumerate(_tested(splits, subjects)):
        pools = _pools(splits, subjects, held_out, fold)
        for name, pool in sorted(pools.items()):
            tested = held_out[splits.train[name].holdout]
            for seed in seeds:
                held = _validation(splits, pool, subjects, (name, fold, seed))
                for subject in subjects["subject"]:
                    role = (
                        "test"
                        if subject in tested
                        else "validation"
                        if subject in held
                        else "train"
                        if subject in pool
                        else "unused"
                    )
                    rows.append((name, fold, seed, subject, role))
    table = pd.DataFrame(rows, columns=list(tables.SPLITS.columns))
    return check_disjoint(tables.check(table, tables.SPLITS))


def with_matched(splits: Splits, subjects: pd.DataFrame) -> Splits:
    """Add ``{name}_matched`` for every train split, as large as the smallest, if that is asked for.

    The smallest of the same hold-out. Its subjects are drawn among those of the split itself. A
    split that is the smallest in every fold is its own match and gets no other.

    Raises
    ------
    SplitError
        If the name is taken, or a split cannot be drawn.
    """
    if not splits.match_sizes:
        return splits
    subjects = subjects.sort_values("subject", ignore_index=True)
    drawn = [
        _pools(splits, subjects, held_out, fold)
        for fold, held_out in enumerate(_tested(splits, subjects))
    ]
    added = {}
    for name, split in splits.train.items():
        beside = [one for one, other in splits.train.items() if other.holdout == split.holdout]
        if all(len(pools[name]) == min(len(pools[one]) for one in beside) for pools in drawn):
            continue
        if name + MATCHED in splits.train:
            raise SplitError(
                f"splits.train.{name}{MATCHED}",
                "splits.match_sizes makes a train split of this name; call this one otherwise",
            )
        added[name + MATCHED] = Split(
            where={},
            drawn_from=(name,),
            balance=split.balance,
            match_size_to=SMALLEST,
            holdout=split.holdout,
        )
    return dataclasses.replace(splits, train={**splits.train, **added}, match_sizes=False)


def _random(seed: int, *names: object) -> np.random.Generator:
    """Return the generator of one named draw: a digest of its names keeps draws apart."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


def _stratified(
    subjects: pd.DataFrame, n: int, by: Sequence[str], random: np.random.Generator
) -> list[str]:
    """Draw ``n`` subjects, as near to equal shares of the groups of ``by`` as they allow."""
    names = _mixed(subjects, by, random)
    return sorted(names[:n])


def _mixed(subjects: pd.DataFrame, by: Sequence[str], random: np.random.Generator) -> list[str]:
    """Order all subjects at random, taking one from every group in turn while they last."""
    shuffled = subjects.iloc[random.permutation(len(subjects))]
    if not by:
        return shuffled["subject"].tolist()
    groups = [group["subject"].tolist() for _, group in shuffled.groupby(list(by), dropna=False)]
    order = []
    for turn in range(max(map(len, groups))):
        order += [group[turn] for group in groups if turn < len(group)]
    return order


def _tested(splits: TrainSplits, subjects: pd.DataFrame) -> list[dict[str | None, set[str]]]:
    """Choose, for every fold, the test subjects of each hold-out; folds are one without a name."""
    if splits.folds is not None:
        return [{None: fold} for fold in _folds(splits.folds, splits.seed, subjects)]
    found = {
        name: _held_out(name, holdout, splits.seed, subjects)
        for name, holdout in splits.all_holdouts.items()
    }
    if not found:
        raise SplitError("splits", "neither holdout nor folds is given; one of them is needed")
    return [found]


def holdout_key(name: str | None) -> str:
    """Return the path of the config key of a hold-out."""
    return "splits.holdout" if name is None else f"splits.holdouts.{name}"


def _held_out(name: str | None, holdout: Holdout, seed: int, subjects: pd.DataFrame) -> set[str]:
    key = holdout_key(name)
    if holdout.subjects is not None:
        _known(holdout.subjects, subjects, f"{key}.subjects")
        return set(holdout.subjects)
    pool = subjects[selects(holdout.where, subjects)]
    if pool.empty:
        raise SplitError(f"{key}.where", f"{dict(holdout.where)} selects nobody")
    n = len(pool) if holdout.n_subjects is None else holdout.n_subjects
    if n > len(pool):
        raise SplitError(
            f"{key}.n_subjects",
            f"{n} asked for, but only {len(pool)} subjects fulfil the condition",
        )
    names = ("holdout",) if name is None else ("holdout", name)
    return set(_stratified(pool, n, holdout.balance, _random(seed, *names)))


def _folds(folds: Rotation, seed: int, subjects: pd.DataFrame) -> list[set[str]]:
    if folds.k > len(subjects):
        raise SplitError(
            "splits.folds.k",
            f"{folds.k} folds of {len(subjects)} subjects; at most one fold per subject",
        )
    order = subjects.iloc[_random(seed, "folds").permutation(len(subjects))]
    if folds.balance:
        order = order.sort_values(list(folds.balance), kind="stable")
    return [set(order["subject"].iloc[fold :: folds.k]) for fold in range(folds.k)]


def _pools(
    splits: TrainSplits, subjects: pd.DataFrame, held_out: Mapping[str | None, set[str]], fold: int
) -> dict[str, set[str]]:
    """Choose the training subjects of each train split, those for validation included."""
    train = splits.train
    check_named(train)
    pools: dict[str, set[str]] = {}
    for name in in_order(train):
        split, key = train[name], f"splits.train.{name}"
        tested = held_out[split.holdout]
        free = subjects[~subjects["subject"].isin(tested)]
        if split.drawn_from is not None:
            together = set().union(*(pools[one] for one in split.drawn_from))
            free = free[free["subject"].isin(together)]
        pool = _candidates(split, key, subjects, free, tested)
        n = len(pool) if split.n_subjects is None else split.n_subjects
        if split.match_size_to is not None:
            n = min(len(pools[one]) for one in sized_by(train, split))
        if n > len(pool):
            where = "of those it is drawn from" if split.drawn_from else "outside the test subjects"
            raise SplitError(
                f"{key}.{'match_size_to' if split.match_size_to else 'n_subjects'}",
                f"{n} subjects asked for, but only {len(pool)} fulfil the condition {where}",
            )
        by = [split.balance] if split.balance else []
        pools[name] = set(_stratified(pool, n, by, _random(splits.seed, "train", name, fold)))
    return {name: pools[name] for name in train}


def _candidates(
    split: Split, key: str, subjects: pd.DataFrame, free: pd.DataFrame, tested: set[str]
) -> pd.DataFrame:
    if split.subjects is not None:
        _known(split.subjects, subjects, f"{key}.subjects")
        both = sorted(set(split.subjects) & tested)
        if both:
            raise SplitError(
                f"{key}.subjects",
                f"{', '.join(both[:5])} also among the test subjects; "
                "a model may not be tested on its training subjects",
            )
    chosen = free[selected(split, free)]
    if chosen.empty:
        taken = int(selected(split, subjects).sum())
        why = f" ({taken} fulfil it, all of them test subjects)" if taken else ""
        raise SplitError(f"{key}.where", f"{dict(split.where)} selects nobody{why}")
    return chosen


def _validation(
    splits: TrainSplits, pool: set[str], subjects: pd.DataFrame, names: tuple[object, ...]
) -> set[str]:
    asked = splits.validation
    n = (
        asked.n_subjects
        if asked.n_subjects is not None
        else round((asked.share or 0.0) * len(pool))
    )
    if n >= len(pool):
        raise SplitError(
            "splits.validation",
            f"{n} validation subjects leave none of the {len(pool)} of train split {names[0]!r} "
            "to train on",
        )
    chosen = subjects[subjects["subject"].isin(pool)]
    return set(_stratified(chosen, n, (), _random(splits.seed, "validation", *names)))


def check_tests(splits: Splits, subjects: pd.DataFrame) -> None:
    """Raise ``SplitError`` if a test split selects nobody among the subjects that are tested."""
    drawn = _tested(splits, subjects)
    for name, split in splits.test.items():
        key = f"splits.test.{name}"
        tested = set().union(*(held_out[split.holdout] for held_out in drawn))
        pool = subjects[subjects["subject"].isin(tested)]
        if split.subjects is not None:
            _known(split.subjects, subjects, f"{key}.subjects")
            trained = sorted(set(split.subjects) - tested)
            if trained:
                raise SplitError(
                    f"{key}.subjects",
                    f"{', '.join(trained[:5])} not held out, so models train on them; "
                    f"add them to {holdout_key(split.holdout)}.subjects or take them out",
                )
        if not selected(split, pool).any():
            taken = int(selected(split, subjects).sum())
            why = (
                f"{taken} fulfil it, but none is held out for testing"
                if taken
                else "no subject fulfils it"
            )
            raise SplitError(f"{key}.where", f"{dict(split.where)} selects nobody: {why}")


def _known(names: Sequence[str], subjects: pd.DataFrame, key: str) -> None:
    unknown = sorted(set(names) - set(subjects["subject"]))
    if unknown:
        raise SplitError(key, f"no such subject: {', '.join(unknown[:5])}")
