"""Who trains, validates and tests: named conditions on attributes, hold-out and folds.

Everything is drawn by subject and seeded by name: a draw depends on the splits' seed, on what is
drawn and on the subjects it is drawn from, never on the order of rows or on other splits.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facebias import tables
from facebias.study import Holdout, Rotation, Split, Splits, StudyError, read_settings

ROLES = ("train", "validation", "test", "unused")
SMALLEST, MATCHED = "smallest", "_matched"


class SplitError(StudyError):
    """A split that cannot be drawn. ``key`` is the path of the config key at fault."""

    def __init__(self, key: str, message: str):
        super().__init__(f"{key}: {message}")
        self.key = key


def selects(where: Mapping[str, Any], frame: pd.DataFrame) -> np.ndarray:
    """Tell which rows of ``frame`` fulfil the condition ``where``.

    A condition maps an attribute to a value (equal), to a list (any of them), or to
    ``{min: a, max: b}`` (a <= value <= b). Several keys must all hold. The keys ``all`` and ``any``
    take a list of conditions. A missing attribute fulfils nothing. The empty condition holds
    for every row.

    Returns
    -------
    Boolean array, one entry per row.

    Raises
    ------
    KeyError
        If the frame has no column of a name used.
    """
    chosen = np.ones(len(frame), dtype=bool)
    for name, wanted in where.items():
        if name == "all":
            chosen &= np.all([selects(part, frame) for part in wanted], axis=0)
        elif name == "any":
            chosen &= np.any([selects(part, frame) for part in wanted], axis=0)
        elif isinstance(wanted, Mapping):
            values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float)
            chosen &= (values >= wanted.get("min", -np.inf)) & (values <= wanted.get("max", np.inf))
        else:
            allowed = (
                wanted if isinstance(wanted, Sequence) and not isinstance(wanted, str) else [wanted]
            )
            chosen &= frame[name].isin(list(allowed)).to_numpy()
    return chosen


def attributes_in(where: Mapping[str, Any]) -> set[str]:
    """Name the attributes that a condition asks for."""
    names: set[str] = set()
    for name, wanted in where.items():
        names |= (
            set().union(*(attributes_in(part) for part in wanted))
            if name in ("all", "any")
            else {name}
        )
    return names


def draw(splits: Splits, seeds: Sequence[int], subjects: pd.DataFrame) -> pd.DataFrame:
    """Give every subject its role for each train split, fold and seed.

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


def needed(train: Mapping[str, Split], name: str) -> dict[str, Split]:
    """Give the train splits that one is drawn with: itself, and those that it names.

    They come in the order in which they are declared.
    """
    found, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        if one not in found and one in train:
            found.add(one)
            waiting += train[one].drawn_from or ()
            waiting += _sized_by(train, train[one])
    return {one: split for one, split in train.items() if one in found}


def alone(splits: Splits, name: str) -> Splits:
    """Keep of ``splits`` what the draw of one train split depends on.

    Those that it is drawn with and its own hold-out; no test split.
    """
    train = needed(splits.train, name)
    kept = dataclasses.replace(splits, train=train, test={})
    if splits.holdouts is None:
        return kept
    own = train[name].holdout
    holdout = dataclasses.replace(splits.holdouts[own], attributes=None)
    return dataclasses.replace(kept, holdouts={own: holdout})


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


def matched(declared: Sequence[str], drawn: Sequence[str]) -> dict[str, str]:
    """Map the declared train splits to those that ``with_matched`` gave the size of the smallest.

    The smallest stands for itself. Empty if it added none.
    """
    if list(declared) == list(drawn):
        return {}
    return {name: name + MATCHED if name + MATCHED in drawn else name for name in declared}


def check_disjoint(table: pd.DataFrame, *, source: str = "splits") -> pd.DataFrame:
    """Return ``table`` if every subject has one known role per model, else raise ``TableError``."""
    unknown = set(table["role"]) - set(ROLES)
    if unknown:
        raise tables.TableError(f"{source}: role {sorted(unknown)}; expected one of {ROLES}")
    roles = table.groupby(["train_split", "fold", "seed", "subject"], sort=False)["role"].nunique()
    if (roles > 1).any():
        raise tables.TableError(f"{source}: {roles.idxmax()} has two roles; subjects never cross")
    return table


def read(path: Path | str) -> pd.DataFrame:
    """Read a splits table and check that no subject crosses roles."""
    return check_disjoint(tables.read(path, tables.SPLITS), source=str(path))


def subjects_of(
    table: pd.DataFrame, *, train_split: str, fold: int, seed: int, role: str
) -> list[str]:
    """List the subjects with ``role`` in one model's split."""
    chosen = (
        (table["train_split"] == train_split)
        & (table["fold"] == fold)
        & (table["seed"] == seed)
        & (table["role"] == role)
    )
    return table.loc[chosen, "subject"].tolist()


# ------------------------------------------------------------------------------------- the draws


def _random(seed: int, *names: object) -> np.random.Generator:
    """Give the generator of one named draw: a digest of its names keeps draws apart."""
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


def _tested(splits: Splits, subjects: pd.DataFrame) -> list[dict[str | None, set[str]]]:
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
    """Give the path of the config key of a hold-out."""
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
    splits: Splits, subjects: pd.DataFrame, held_out: Mapping[str | None, set[str]], fold: int
) -> dict[str, set[str]]:
    """Choose the training subjects of each train split, those for validation included."""
    train = splits.train
    _check_named(train)
    pools: dict[str, set[str]] = {}
    for name in _in_order(train):
        split, key = train[name], f"splits.train.{name}"
        tested = held_out[split.holdout]
        free = subjects[~subjects["subject"].isin(tested)]
        if split.drawn_from is not None:
            together = set().union(*(pools[one] for one in split.drawn_from))
            free = free[free["subject"].isin(together)]
        pool = _candidates(split, key, subjects, free, tested)
        n = len(pool) if split.n_subjects is None else split.n_subjects
        if split.match_size_to is not None:
            n = min(len(pools[one]) for one in _sized_by(train, split))
        if n > len(pool):
            where = "of those it is drawn from" if split.drawn_from else "outside the test subjects"
            raise SplitError(
                f"{key}.{'match_size_to' if split.match_size_to else 'n_subjects'}",
                f"{n} subjects asked for, but only {len(pool)} fulfil the condition {where}",
            )
        by = [split.balance] if split.balance else []
        pools[name] = set(_stratified(pool, n, by, _random(splits.seed, "train", name, fold)))
    return {name: pools[name] for name in train}


def _sized_by(train: Mapping[str, Split], split: Split) -> list[str]:
    """Name the train splits whose size another takes: the smallest of them."""
    if split.match_size_to == SMALLEST:
        return [
            name
            for name, other in train.items()
            if other.match_size_to is None and other.holdout == split.holdout
        ]
    return [split.match_size_to] if split.match_size_to else []


def _check_named(train: Mapping[str, Split]) -> None:
    """Raise ``SplitError`` for a train split that names one which does not exist."""
    known = ", ".join(train)
    if SMALLEST in train:
        raise SplitError(
            f"splits.train.{SMALLEST}", "match_size_to gives this name a meaning; choose another"
        )
    for name, split in train.items():
        key = f"splits.train.{name}"
        if split.match_size_to not in (None, SMALLEST, *train):
            raise SplitError(
                f"{key}.match_size_to",
                f"no train split {split.match_size_to!r}; there are {known}, or {SMALLEST}",
            )
        if split.match_size_to == SMALLEST and not _sized_by(train, split):
            raise SplitError(f"{key}.match_size_to", "every train split matches another in size")
        unknown = sorted(set(split.drawn_from or ()) - set(train))
        if unknown:
            raise SplitError(
                f"{key}.drawn_from", f"no train split {unknown[0]!r}; there are {known}"
            )
        for option, others in (
            ("drawn_from", split.drawn_from or ()),
            ("match_size_to", _sized_by(train, split)),
        ):
            for other in others:
                if train[other].holdout != split.holdout:
                    raise SplitError(
                        f"{key}.{option}",
                        f"{other} has hold-out {train[other].holdout}, {name} has "
                        f"{split.holdout}; name train splits of one hold-out",
                    )


def _in_order(train: Mapping[str, Split]) -> list[str]:
    """Order train splits so that each comes after those that it names."""
    order: list[str] = []

    def visit(name: str, seen: tuple[str, ...], key: str) -> None:
        if name in seen:
            raise SplitError(key, f"goes round in a circle: {' -> '.join((*seen, name))}")
        if name not in order:
            split, here = train[name], f"splits.train.{name}"
            for other in split.drawn_from or ():
                visit(other, (*seen, name), f"{here}.drawn_from")
            for other in _sized_by(train, split):
                visit(other, (*seen, name), f"{here}.match_size_to")
            order.append(name)

    for name in train:
        visit(name, (), "")
    return order


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
        free = free[free["subject"].isin(split.subjects)]
    chosen = free[selects(split.where, free)]
    if chosen.empty:
        taken = int(selects(split.where, subjects).sum())
        why = f" ({taken} fulfil it, all of them test subjects)" if taken else ""
        raise SplitError(f"{key}.where", f"{dict(split.where)} selects nobody{why}")
    return chosen


def _validation(
    splits: Splits, pool: set[str], subjects: pd.DataFrame, names: tuple[object, ...]
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


def selected(split: Split, frame: pd.DataFrame) -> np.ndarray:
    """Tell which rows of ``frame`` (with ``subject`` and attributes) belong to a split."""
    chosen = selects(split.where, frame)
    if split.subjects is not None:
        chosen &= frame["subject"].isin(split.subjects).to_numpy()
    return chosen


def _known(names: Sequence[str], subjects: pd.DataFrame, key: str) -> None:
    unknown = sorted(set(names) - set(subjects["subject"]))
    if unknown:
        raise SplitError(key, f"no such subject: {', '.join(unknown[:5])}")


def main(arguments: list[str]) -> None:
    """Draw who trains, validates and tests in one train split, and write it."""
    parser = argparse.ArgumentParser(prog="facebias split", description=main.__doc__)
    parser.add_argument("--settings", required=True, help="JSON: splits, seeds")
    parser.add_argument("--train-split", required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    splits, seeds = read_settings(given.settings, splits=Splits, seeds=tuple[int, ...])
    manifest = tables.read(given.manifest, tables.MANIFEST)
    subjects = manifest.drop_duplicates("subject")
    drawn = draw(splits, seeds, subjects)
    # The settings hold further train splits only where this one takes its size from them.
    drawn = drawn[drawn["train_split"] == given.train_split]
    tables.write(drawn, given.out, tables.SPLITS)
