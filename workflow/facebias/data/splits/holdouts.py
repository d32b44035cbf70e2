"""Which train splits, test splits and attributes belong together: those of one hold-out."""

from __future__ import annotations

from collections.abc import Iterator

from facebias.study import Question, Splits, Study, TrainSplits
from facebias.study.faults import suggest


def together(splits: TrainSplits) -> list[list[str]]:
    """Return the train splits of each hold-out, all in the order of the configuration.

    They are tested on the same subjects. With one hold-out or folds, all are.
    """
    found: dict[str | None, list[str]] = {}
    for name, split in splits.train.items():
        found.setdefault(split.holdout, []).append(name)
    return list(found.values())


def tests(splits: Splits, train: str) -> list[str]:
    """Name the test splits of a train split."""
    own = splits.train[train].holdout
    return [name for name, split in splits.test.items() if split.holdout == own]


def attributes(study: Study, train: str) -> list[str]:
    """Name the evaluated attributes by whose groups the models of a train split are compared."""
    asked = study.evaluation.attributes
    holdout = study.splits.all_holdouts.get(study.splits.train[train].holdout)
    if holdout is None or holdout.attributes is None:
        return list(asked)
    return [name for name in asked if name in holdout.attributes]


def questions(study: Study) -> tuple[Question, ...]:
    """Return declared question of each hold-out; none of one that does not fit what is named."""
    asked = study.evaluation.primary
    found = []
    for trains in together(study.splits):
        compared = attributes(study, trains[0])
        train, attribute = (
            asked.train_split or trains[0],
            asked.attribute or next(iter(compared), None),
        )
        if train in trains and attribute in compared:
            found.append(
                Question(attribute=attribute, train_split=train, train_splits=tuple(trains))
            )
    return tuple(found)


def misfits(study: Study) -> Iterator[str]:
    """Say which splits and attributes have no hold-out, and which hold-outs lack something."""
    splits = study.splits
    declared = splits.holdouts
    for kind, parts in (("train", splits.train), ("test", splits.test)):
        for name, split in parts.items():
            key = f"splits.{kind}.{name}.holdout"
            if declared is None:
                if split.holdout is not None:
                    yield f"{key}: found {split.holdout!r}, but there is no splits.holdouts"
            elif split.holdout is None:
                yield f"{key}: missing; name one of splits.holdouts: {', '.join(declared)}"
            elif split.holdout not in declared:
                yield f"{key}: no hold-out {split.holdout!r}{suggest(split.holdout, declared)}"
    for name in declared or ():
        key = f"splits.holdouts.{name}"
        trained = any(split.holdout == name for split in splits.train.values())
        tested = [test for test, split in splits.test.items() if split.holdout == name]
        if not trained:
            tests_nothing = f"; nothing is tested on {', '.join(tested)}" if tested else ""
            yield f"{key}: no train split names it{tests_nothing}; add one or remove it"
        if not tested:
            yield f"{key}: no test split names it; add one or remove it"
    for of, holdout in splits.all_holdouts.items():
        key = "splits.holdout" if of is None else f"splits.holdouts.{of}"
        for attribute in holdout.attributes or ():
            if attribute not in study.evaluation.attributes:
                hint = suggest(attribute, study.evaluation.attributes)
                yield f"{key}.attributes: {attribute!r} is not evaluated{hint}"


def uncompared(study: Study) -> Iterator[str]:
    """Say which attributes no models are compared by, and if there is no declared question."""
    compared = {train: attributes(study, train) for train in study.splits.train}
    for attribute in study.evaluation.attributes:
        if not any(attribute in names for names in compared.values()):
            yield f"evaluation.attributes: no hold-out has {attribute}; add it to one or remove it"
    primary = study.evaluation.primary
    if primary.train_split in compared and not questions(study):
        by = ", ".join(compared[primary.train_split]) or "no attribute"
        unlike = f", not by {primary.attribute}" if primary.attribute else ""
        yield (
            f"evaluation.primary: models trained on {primary.train_split} are compared by "
            f"{by}{unlike}; change attribute or train_split"
        )
