"""Made-up results of a study in the shape of the tidy tables, for figures and reports to draw."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd

import scored
from facebias import tables
from facebias.evaluation import fairness_criteria, judgement
from facebias.study import Figures, Labels
from facebias.tables import comparisons

ARCHITECTURES = ("vgg16", "vggface", "resnet50", "senet50", "cnn3d", "resnet3d")
TRAINS = ("regular", "female", "male")
TESTS = {"all": 10, "female": 5, "male": 5}
LABELS = ("happiness", "surprise", "sadness", "upset")
SIGNED = ("signed", fairness_criteria.PER_LABEL)
SIZES = {"per_class_mean": 1.3, "worst_class": 2.2}
DEFINED = [
    (criterion, definition, label)
    for criterion, declared in fairness_criteria.OF_CLASSES.items()
    for definition in (*declared.definitions, *[fairness_criteria.PER_LABEL] * declared.labels)
    for label in (
        LABELS
        if definition == fairness_criteria.PER_LABEL
        else LABELS[:1]
        if definition == "worst_class"
        else (tables.OVERALL,)
    )
]
SKILL = dict(zip(ARCHITECTURES, (0.72, 0.78, 0.69, 0.74, 0.83, 0.66), strict=True))
# Two networks under several variants of the clips.
VARIANTS = {
    name: {"network": network, "clips": clips, "margin": margin, "key_frames": frames}
    for name, network, clips, margin, frames in [
        ("vgg16", "vgg16", None, 40, 20),
        ("cnn3d", "vgg16", "m0", 0, 20),
        ("resnet3d", "vgg16", "k50", 40, 50),
        ("resnet50", "resnet50", None, 40, 20),
        ("senet50", "resnet50", "k50", 40, 50),
        ("vggface", "vggface", None, 40, 20),
    ]
}
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def once(make: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    """Make a table once for the same arguments; everybody gets a copy."""
    made: dict[str, pd.DataFrame] = {}

    @functools.wraps(make)
    def copied(*arguments: object, **named: object) -> pd.DataFrame:
        asked = repr((arguments, sorted(named.items())))
        if asked not in made:
            made[asked] = make(*arguments, **named)
        return made[asked].copy()

    return copied


def looks(**changes: object) -> Figures:
    return Figures(**{"dpi": 110, "colours": COLOURS, **changes})


def labels(kind: str = "classes") -> Labels:
    return Labels(
        kind=kind,
        names=("happiness", "surprise", "sadness", "anger", "disgust", "contempt"),
        fuse={"upset": ("anger", "disgust", "contempt")},
        subsample_fused=True,
        seed=1,
    )


def chance_of(architecture: str, train: str, group: str, label: str) -> float:
    """The true positive rate that the made-up model has: men are read better, more so by some."""
    weak = 0.28 if label in ("sadness", "upset") else 0.0
    lost = (
        weak * (group == "female") * (1.4 if train == "male" else 0.7 if train == "female" else 1)
    )
    return float(np.clip(SKILL[architecture] + 0.12 * (label == "surprise") - lost, 0.05, 0.98))


@once
def confusion(seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = []
    for architecture, train, (test, n) in itertools.product(ARCHITECTURES, TRAINS, TESTS.items()):
        for true in LABELS:
            group = test if test != "all" else "female"
            hit = chance_of(architecture, train, group, true)
            rest = random.dirichlet([2, 1, 3])
            shares = iter(rest * (1 - hit))
            odds = [hit if name == true else next(shares) for name in LABELS]
            counts = random.multinomial(2 * n, np.array(odds) / sum(odds))
            rows += [
                (architecture, train, test, true, predicted, float(count), count / (2 * n))
                for predicted, count in zip(LABELS, counts, strict=True)
            ]
    return tables.check(
        pd.DataFrame(rows, columns=list(tables.CONFUSION.columns)), tables.CONFUSION
    )


@once
def metrics(seed: int = 2) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = []
    for architecture, train, (test, n) in itertools.product(ARCHITECTURES, TRAINS, TESTS.items()):
        cell = (architecture, train, test)
        group = test if test != "all" else "female"
        for label in LABELS:
            hit = chance_of(architecture, train, group, label)
            middle = {"tpr": hit, "fpr": (1 - hit) / 3, "accuracy": 1 - (1 - hit) / 2}
            middle["selection_rate"] = 0.25
            times = {"tpr": 1, "fpr": 3, "accuracy": 4, "selection_rate": 4}
            for metric, value in middle.items():
                samples = 2 * n * times[metric]
                rows.append((*cell, label, metric, *_interval(random, value, samples), n, samples))
        value = np.mean([chance_of(architecture, train, group, label) for label in LABELS])
        overall = {"accuracy": value, "tpr_macro": value, "auc_macro": (1 + value) / 2}
        for metric, mean in overall.items():
            rows.append((*cell, "overall", metric, *_interval(random, mean, 8 * n), n, 8 * n))
    return tables.check(pd.DataFrame(rows, columns=list(tables.METRICS.columns)), tables.METRICS)


def by_group(measured: pd.DataFrame | None = None) -> pd.DataFrame:
    """Take the test splits of made-up metrics for everybody and for the groups of gender."""
    frame = metrics() if measured is None else measured
    group = frame["test_split"]
    attribute = group.where(group == tables.EVERYBODY, "gender")
    frame = frame.drop(columns="test_split").assign(attribute=attribute, group=group)
    return tables.check(frame, tables.METRICS_BY_GROUP)


def _interval(random: np.random.Generator, value: float, n: int) -> tuple[float, float, float]:
    spread = 2 * np.sqrt(value * (1 - value) / n)
    value = float(np.clip(value + random.normal(0, spread / 3), 0, 1))
    return value, max(0.0, value - spread), min(1.0, value + spread)


@once
def fairness(
    *,
    attribute: str = "gender",
    groups: tuple[str, ...] = ("female", "male"),
    architectures: tuple[str, ...] = ARCHITECTURES,
    trains: tuple[str, ...] = TRAINS,
    gap: float = -0.16,
    spread: float = 0.1,
    seed: int = 3,
) -> pd.DataFrame:
    """Signed gaps around ``gap`` (first group minus second) with intervals of +- ``spread``."""
    random = np.random.default_rng(seed)
    rows = []
    pairs = list(itertools.combinations(groups, 2))
    for architecture, train in itertools.product(architectures, trains):
        for criterion, definition, label in DEFINED:
            compared = [comparisons.pair(*pair) for pair in pairs]
            if len(groups) > 2 and definition not in SIGNED:
                compared.append(comparisons.over(groups))
            for named in compared:
                scale = (0.5 if criterion == "accuracy_gap" else 1) * SIZES.get(definition, 1)
                value = gap * scale
                value += random.normal(0, 0.015) + 0.06 * (SKILL[architecture] - 0.72) * 4
                low, high = value - spread, value + spread
                if definition not in SIGNED:
                    value = abs(value)
                    low, high = max(0.0, value - spread), value + spread
                row = {
                    "estimate": value,
                    "ci_low": low,
                    "ci_high": high,
                    "p_value": 0.0008 if low * high > 0 else 0.4,
                    "p_floor": 2 / 252,
                }
                if definition != fairness_criteria.PER_LABEL:
                    signed = definition == "signed"
                    row |= {
                        "null_median": 0.0 if signed else 0.06 * scale,
                        "null_low": -0.12 * scale if signed else 0.01 * scale,
                        "null_high": 0.12 * scale,
                        "detectable": 0.2 * scale,
                    }
                rows.append(
                    {
                        "architecture": architecture,
                        "train_split": train,
                        "attribute": attribute,
                        **named,
                        "criterion": criterion,
                        "definition": definition,
                        "label": label,
                        **dict.fromkeys(tables.CHANCE, np.nan),
                        **row,
                        "n_subjects": 10,
                        "n_samples": 80,
                        "note": "",
                    }
                )
    return judged(tables.check(pd.DataFrame(rows), tables.GAPS), attribute=attribute)


def judged(frame: pd.DataFrame, *, attribute: str = "gender") -> pd.DataFrame:
    """Judge made-up gaps as a study does."""
    asked = scored.question(*frame["train_split"].unique(), attribute=attribute)
    declared = judgement.primary(frame, scored.EVALUATION.primary, [asked])
    return tables.check(judgement.judge(frame, declared, scored.EVALUATION), tables.FAIRNESS)


@once
def effects(*, difference: float = -0.2) -> pd.DataFrame:
    """Changes of the mean true positive rate: women lose ``difference`` more than men."""
    both = comparisons.pair("female", "male")
    compared = [comparisons.group("female"), comparisons.group("male"), both]
    rows = []
    for architecture, train, named in itertools.product(ARCHITECTURES, TRAINS[1:], compared):
        value = difference * (named["first"] == "female")
        rows.append(
            {
                "architecture": architecture,
                "attribute": "gender",
                **comparisons.change(train, "regular"),
                **named,
                "metric": "tpr_macro",
                "estimate": value,
                "ci_low": value - 0.1,
                "ci_high": value + 0.1,
                "n_subjects": 10 if named is both else 5,
                "n_samples": 80 if named is both else 40,
                "p_value": 0.003,
                "p_floor": 0.002,
                "null_median": 0.0,
                "null_low": -0.15,
                "null_high": 0.15,
                "detectable": 0.2,
                "note": None,
            }
        )
    frame = tables.check(pd.DataFrame(rows), tables.CHANGES)
    asked = scored.question(*TRAINS)
    declared = judgement.primary_effects(frame, scored.EVALUATION.primary, [asked])
    return tables.check(judgement.judge(frame, declared, scored.EVALUATION), tables.EFFECTS)


def histories(*, folds: int = 1, epochs: int = 20, seed: int = 4) -> dict[str, pd.DataFrame]:
    random = np.random.default_rng(seed)
    found = {}
    for architecture, train, fold in itertools.product(ARCHITECTURES, TRAINS, range(folds)):
        model = {"architecture": architecture, "train_split": train, "fold": fold, "seed": 1}
        at = np.arange(1, epochs + 1)
        learnt = 1 - np.exp(-at / random.uniform(3, 6))
        skill = SKILL[architecture]
        held = 0.25 + (skill - 0.25) * learnt + random.normal(0, 0.03, epochs)
        frame = pd.DataFrame(
            {
                "epoch": at,
                "learning_rate": 0.03,
                "skipped_steps": 0,
                "train_loss": 1.4 * (1 - 0.9 * learnt) + random.normal(0, 0.03, epochs) ** 2,
                "train_accuracy": np.clip(0.25 + 0.72 * learnt, 0, 1),
                "validation_loss": 1.4 - skill * learnt + 0.02 * at * (train == "female"),
                "validation_accuracy": held,
                "validation_macro_recall": held,
                "validation_macro_f1": held,
                "best": at == at[held.argmax()],
            }
        )
        frame = tables.check(frame.assign(**model), tables.HISTORY)
        found.setdefault(f"{architecture}/{train}", []).append(frame)
    return {cell: pd.concat(frames, ignore_index=True) for cell, frames in found.items()}


@once
def manifest(*, subjects: int = 36, per_label: int = 2) -> pd.DataFrame:
    rows = []
    for i in range(subjects):
        gender, skin = ("female", "male")[i % 2], ("dark", "light", "medium")[i % 3]
        for label, take in itertools.product(labels().names, range(per_label)):
            name = f"s{i:02d}_{label}_{take}"
            rows.append((name, f"s{i:02d}", f"{name}.mp4", i % 4 != 3, label, gender, skin))
    columns = [*tables.MANIFEST.columns, "label", "gender", "skin"]
    return tables.check(pd.DataFrame(rows, columns=columns), tables.MANIFEST)


@once
def splits(*, subjects: int = 36, folds: int = 1) -> pd.DataFrame:
    rows = []
    for train, fold, i in itertools.product(TRAINS, range(folds), range(subjects)):
        gender = ("female", "male")[i % 2]
        tested = i < 10 if folds == 1 else i % folds == fold
        fits = train in ("regular", gender)
        role = "test" if tested else "unused" if not fits else "validation" if i >= 32 else "train"
        rows.append((train, fold, 1, f"s{i:02d}", role))
    return tables.check(pd.DataFrame(rows, columns=list(tables.SPLITS.columns)), tables.SPLITS)


@once
def units() -> pd.DataFrame:
    """Seventeen units of which the rarest are not trained and some are not annotated everywhere."""
    names = [f"AU{n}" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26)]
    positives = np.array([23_000 // (1 + place) for place in range(len(names))])
    return tables.check(
        pd.DataFrame(
            {
                "unit": names,
                "annotated": [95_000, 140_000] * 8 + [95_000],
                "positives": positives,
                "kept": positives >= 2_000,
            }
        ),
        tables.UNITS,
    )


@once
def exclusions(*, none: bool = False) -> pd.DataFrame:
    given = {
        "gender": {"female": 216, "male": 216},
        "skin": {"dark": 144, "light": 144, "medium": 144},
    }
    no_face = {"female": 4, "male": 2, "dark": 6, "light": 0, "medium": 0}
    short = {"male": 1, "light": 1}
    rows = []
    for attribute, groups in given.items():
        for group, n in groups.items():
            out = {"no face": no_face[group], "too short": short.get(group, 0)}
            out = {} if none else out
            for reason, count in {"any": sum(out.values()), **out}.items():
                rows.append((attribute, group, reason, n, count, count / n))
    return tables.check(
        pd.DataFrame(rows, columns=list(tables.EXCLUSIONS.columns)), tables.EXCLUSIONS
    )


def explanations(
    *, per_label: int = 4, side: int = 48, face_side: int = 48, seed: int = 5
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Explained samples of every gender and trained label, with relevance and made-up faces."""
    random = np.random.default_rng(seed)
    people = manifest()
    rows, names = [], []
    for gender, label in itertools.product(("female", "male"), labels().names):
        chosen = people[(people["gender"] == gender) & (people["label"] == label)]
        for sample in chosen.drop_duplicates("subject").iloc[:per_label].itertuples():
            score = float(random.uniform(0.05, 0.99))
            said = label if score > 0.4 else "happiness"
            names.append(sample.sample)
            model = ("lrp", "vgg16", "regular", 0, 1)
            cell = (*model, len(rows), sample.sample, sample.subject)
            rows.append((*cell, label, said, label, score, 3.1, 3.0, 0.97))
    table = pd.DataFrame(rows, columns=list(tables.EXPLANATIONS.columns))
    y, x = np.mgrid[0:side, 0:side] / side
    spots = [(0.4, 0.33, 1.0), (0.4, 0.67, 1.0), (0.75, 0.5, 1.6), (0.6, 0.2, -0.8)]
    base = sum(w * np.exp(-((y - a) ** 2 + (x - b) ** 2) / 0.008) for a, b, w in spots)
    relevance = [
        base * random.normal(1, 0.2) + random.normal(0, 0.12, (4, side, side)) for _ in names
    ]
    faces = np.stack([_face(face_side, tone) for tone in random.uniform(0.35, 1, len(names))])
    arrays = {
        "relevance": np.stack(relevance).astype(np.float16),
        "sample": np.array(names),
        "faces": np.repeat(faces[:, None], 3, axis=1),
        "frames": np.array([0, 2, 3]),
    }
    return tables.check(table, tables.EXPLANATIONS), arrays


@once
def randomisation() -> pd.DataFrame:
    """Heatmaps of two architectures that grow unlike as layers are drawn anew."""
    rows = []
    for architecture, layers, sample in itertools.product(("vgg16", "cnn3d"), (1, 5, 10), range(3)):
        model = ("lrp", architecture, "regular", 0, 1)
        alike = 1 - layers / 12 - 0.01 * sample
        names = (f"layer{10 - layers}", f"x{sample}", f"s{sample}")
        rows.append((*model, layers, layers / 10, *names, alike, alike / 2))
    table = pd.DataFrame(rows, columns=list(tables.RANDOMISATION.columns))
    return tables.check(table, tables.RANDOMISATION)


def _face(side: int, tone: float) -> np.ndarray:
    y, x = np.mgrid[0:side, 0:side] / side
    picture = np.full((side, side, 3), 205.0)
    inside = ((x - 0.5) / 0.36) ** 2 + ((y - 0.5) / 0.46) ** 2 < 1
    picture[inside] = np.array([226, 178, 150]) * tone
    for a, b, width, height in (
        (0.4, 0.34, 0.07, 0.03),
        (0.4, 0.66, 0.07, 0.03),
        (0.75, 0.5, 0.13, 0.035),
    ):
        picture[((x - b) / width) ** 2 + ((y - a) / height) ** 2 < 1] = 60
    return picture.astype(np.uint8)
