"""Simulated test subjects: studies with a known gap, to calibrate and plan by.

A subject shows every label in some videos and is read with a probability of his or her own. The
probabilities are beta distributed over subjects, so that the samples of one subject and label
resemble each other (beta-binomial); a Gaussian copula lets the labels of one subject resemble each
other too. Wrong decisions fall on the other labels alike.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import special

from facebias.evaluation.counts import Counts
from facebias.evaluation.scores import Scores


@dataclasses.dataclass(frozen=True, kw_only=True)
class Population:
    """What simulated people are like.

    Attributes
    ----------
    labels
        Number of exclusive labels.
    samples
        Fewest and most samples of a subject per label, each number equally likely.
    rate
        Mean share of samples that are read correctly, over subjects and labels.
    correlation
        Correlation of two correct readings of one subject and label (intraclass correlation).
        Between 0.2 and 0.5 for five of the six networks of the demo.
    between_labels
        Correlation, on the normal scale, of a subject's probabilities for two labels.
    showing
        Share of the subjects who show each label; empty: all show all.
    constant
        Share of samples that are read as the first label, whatever they show; 1 - ``constant`` are
        read as above.
    exclusive
        Whether each sample has one label. Otherwise labels are units: every sample may show all of
        them, and ``samples`` are those of a subject in all.
    prevalence
        Of units, share of the samples that show each.
    false_alarms
        Of units, mean share of the samples without one that are taken to show it.
    """

    labels: int = 4
    samples: tuple[int, int] = (2, 3)
    rate: float = 0.7
    correlation: float = 0.25
    between_labels: float = 0.2
    showing: tuple[float, ...] = ()
    constant: float = 0.0
    exclusive: bool = True
    prevalence: float = 0.3
    false_alarms: float = 0.1


def draw(
    populations: Sequence[Population],
    sizes: Sequence[int],
    random: np.random.Generator,
    *,
    lower: Sequence[float | Sequence[float]],
) -> list[Counts]:
    """Draw the tested subjects of one study, group after group.

    Parameters
    ----------
    populations, sizes
        What the people of each group are like, and how many are tested.
    random
        Source of randomness.
    lower
        By how much the rate of every label is lower in each group, or of each label in turn.
    """
    firsts = np.cumsum([0, *sizes])
    return [
        (_group if population.exclusive else _units)(
            population, size, population.rate - np.asarray(less), random, int(first)
        )
        for population, size, less, first in zip(populations, sizes, lower, firsts, strict=False)
    ]


def _group(
    population: Population, size: int, rate: np.ndarray, random: np.random.Generator, first: int
) -> Counts:
    n_labels, (fewest, most) = population.labels, population.samples
    chance = np.clip(_chances(population, size, rate, random), 0, 1)
    shown = random.integers(fewest, most + 1, size=(size, n_labels))
    for label, share in enumerate(population.showing):
        shown[random.permutation(size)[round(share * size) :], label] = 0
    right = random.binomial(shown, chance)
    confusion = np.zeros((size, n_labels, n_labels))
    for label in range(n_labels):
        others = np.delete(np.arange(n_labels), label)
        wrong = shown[:, label] - right[:, label]
        fallen = random.multinomial(wrong, np.full(n_labels - 1, 1 / (n_labels - 1)))
        confusion[:, label, others] = fallen
        confusion[:, label, label] = right[:, label]
    if population.constant:
        confusion = _constant(
            confusion, random.binomial(confusion.astype(int), population.constant)
        )
    return from_confusion(confusion, _names(size, first))


def _units(
    population: Population, size: int, rate: np.ndarray, random: np.random.Generator, first: int
) -> Counts:
    """Draw a group of whom every sample may show every unit."""
    found = np.clip(_chances(population, size, rate, random), 0, 1)
    false = _chances(population, size, np.asarray(population.false_alarms), random)
    fewest, most = population.samples
    samples = random.integers(fewest, most + 1, size=size)
    shown = random.binomial(samples[:, None], population.prevalence, found.shape)
    hits, alarms = random.binomial(shown, found), random.binomial(samples[:, None] - shown, false)
    rest = samples[:, None] - shown - alarms
    return Counts(
        labels=tuple(f"unit{i}" for i in range(population.labels)),
        exclusive=False,
        subjects=_names(size, first),
        samples=samples,
        table=np.stack([hits, alarms, shown - hits, rest], axis=-1),
        confusion=None,
    )


def _names(size: int, first: int) -> np.ndarray:
    return np.array([f"s{first + i:05d}" for i in range(size)])


def _constant(confusion: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Read the ``moved`` samples of (..., L, L) as the first label instead."""
    confusion = confusion - moved
    confusion[..., 0] += moved.sum(axis=-1)
    return confusion


def expected(population: Population, size: int, lower: float | Sequence[float]) -> np.ndarray:
    """Return the counts (1, L, 4) of a mean subject of ``size``: their rates are the true ones."""
    n_labels = population.labels
    rate = np.broadcast_to(population.rate - np.asarray(lower), n_labels)
    confusion = np.repeat((1 - rate)[:, None] / (n_labels - 1), n_labels, axis=1)
    np.fill_diagonal(confusion, rate)
    showing = np.array([round(share * size) / size for share in population.showing] or [1.0])
    confusion *= np.broadcast_to(showing * np.mean(population.samples), n_labels)[:, None]
    confusion = _constant(confusion, confusion * population.constant)
    return from_confusion(confusion[None], np.array(["mean"])).table


def scored(parts: Sequence[Counts]) -> Scores:
    """Return samples of one seed that are counted as ``parts``; what is said has a score of 1."""
    confusion = np.concatenate([part.confusion for part in parts if part.confusion is not None])
    subjects = np.concatenate([part.subjects for part in parts])
    who, truth, said = np.repeat(
        np.indices(confusion.shape).reshape(3, -1), confusion.ravel().astype(int), axis=1
    )
    of_label = np.eye(confusion.shape[1])
    return Scores(
        labels=parts[0].labels,
        exclusive=True,
        sample=np.arange(len(who)).astype(str),
        subject=subjects[who],
        seed=np.ones(len(who), dtype=int),
        truth=of_label[truth],
        score=of_label[said],
        decision=of_label[said] == 1,
    )


def from_confusion(confusion: np.ndarray, subjects: np.ndarray) -> Counts:
    """Make counts of (S, L, L) true by predicted labels."""
    found = np.diagonal(confusion, axis1=1, axis2=2)
    missed, false = confusion.sum(axis=2) - found, confusion.sum(axis=1) - found
    samples = confusion.sum(axis=(1, 2))
    rest = samples[:, None] - found - missed - false
    return Counts(
        labels=tuple(f"label{i}" for i in range(confusion.shape[1])),
        exclusive=True,
        subjects=subjects,
        samples=samples,
        table=np.stack([found, false, missed, rest], axis=-1),
        confusion=confusion,
    )


def _chances(
    population: Population, size: int, rate: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Draw each subject's probability of being read, per label: (size, labels)."""
    shape, rho = (size, population.labels), population.correlation
    if rho == 0 or np.isin(rate, (0, 1)).all():
        return np.broadcast_to(rate, shape)
    shared = np.sqrt(population.between_labels) * random.standard_normal((size, 1))
    own = np.sqrt(1 - population.between_labels) * random.standard_normal(shape)
    spread = (1 - rho) / rho
    return special.betaincinv(rate * spread, (1 - rate) * spread, special.ndtr(shared + own))
