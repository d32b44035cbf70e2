"""Train splits that name one another: what they are drawn from, whose size they take."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from facebias.study import Split, Splits, StudyError, TrainSplits, slice_of

SMALLEST, MATCHED = "smallest", "_matched"


class SplitError(StudyError):
    """A split that cannot be drawn. ``key`` is the path of the config key at fault."""

    def __init__(self, key: str, message: str):
        super().__init__(f"{key}: {message}")
        self.key = key


def check_named(train: Mapping[str, Split]) -> None:
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
        if split.match_size_to == SMALLEST and not sized_by(train, split):
            raise SplitError(f"{key}.match_size_to", "every train split matches another in size")
        unknown = sorted(set(split.drawn_from or ()) - set(train))
        if unknown:
            raise SplitError(
                f"{key}.drawn_from", f"no train split {unknown[0]!r}; there are {known}"
            )
        for option, others in (
            ("drawn_from", split.drawn_from or ()),
            ("match_size_to", sized_by(train, split)),
        ):
            for other in others:
                if train[other].holdout != split.holdout:
                    raise SplitError(
                        f"{key}.{option}",
                        f"{other} has hold-out {train[other].holdout}, {name} has "
                        f"{split.holdout}; name train splits of one hold-out",
                    )


def sized_by(train: Mapping[str, Split], split: Split) -> list[str]:
    """Name the train splits whose size another takes: the smallest of them."""
    if split.match_size_to == SMALLEST:
        return [
            name
            for name, other in train.items()
            if other.match_size_to is None and other.holdout == split.holdout
        ]
    return [split.match_size_to] if split.match_size_to else []


def in_order(train: Mapping[str, Split]) -> list[str]:
    """Order train splits so that each comes after those that it names."""
    order: list[str] = []

    def visit(name: str, seen: tuple[str, ...], key: str) -> None:
        if name in seen:
            raise SplitError(key, f"goes round in a circle: {' -> '.join((*seen, name))}")
        if name not in order:
            split, here = train[name], f"splits.train.{name}"
            for other in split.drawn_from or ():
                visit(other, (*seen, name), f"{here}.drawn_from")
            for other in sized_by(train, split):
                visit(other, (*seen, name), f"{here}.match_size_to")
            order.append(name)

    for name in train:
        visit(name, (), "")
    return order


def needed(train: Mapping[str, Split], name: str) -> dict[str, Split]:
    """Return the train splits that one is drawn with: itself, and those that it names.

    They come in the order in which they are declared.
    """
    found, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        if one not in found and one in train:
            found.add(one)
            waiting += train[one].drawn_from or ()
            waiting += sized_by(train, train[one])
    return {one: split for one, split in train.items() if one in found}


def alone(splits: Splits, name: str) -> TrainSplits:
    """Keep of ``splits`` what the draw of one train split depends on.

    Those that it is drawn with and its own hold-out; no test split.
    """
    train = needed(splits.train, name)
    kept = dataclasses.replace(slice_of(splits, TrainSplits), train=train)
    if splits.holdouts is None:
        return kept
    own = train[name].holdout
    assert own is not None  # checked where there are several (holdouts.faults)
    holdout = dataclasses.replace(splits.holdouts[own], attributes=None)
    return dataclasses.replace(kept, holdouts={own: holdout})


def matched(declared: Sequence[str], drawn: Sequence[str]) -> dict[str, str]:
    """Map the declared train splits to those that ``with_matched`` gave the size of the smallest.

    The smallest stands for itself. Empty if it added none.
    """
    if list(declared) == list(drawn):
        return {}
    return {name: name + MATCHED if name + MATCHED in drawn else name for name in declared}
