"""Names that look like what is written about them change nothing but the names.

Every table, figure and text of a study with hostile names is that of the same study with plain
ones, its names exchanged.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from unittest import mock

import diagnosed
import located
import numpy as np
import pandas as pd
import published_results
import pytest
import start_pages
import study_tables as made
from drawing import draw, texts

import scored
from facebias import tables
from facebias.evaluation import (
    attributes,
    audit,
    by_group,
    cells,
    confounds,
    counts,
    detectable,
    groups,
    judgement,
    pairing,
    redraws,
    relevance_stage,
    seeds,
    variance,
)
from facebias.presentation.record import card_facts
from facebias.presentation.report import print as print_table
from facebias.presentation.report import start_page
from facebias.study import Data, build

EVALUATION = dataclasses.replace(scored.EVALUATION, resamples=100, permutations=199)
ARCHITECTURES = ("vgg16", "cnn3d")
PLAIN = ("Q1", "Q2", "Q3", "Q4", "T1", "T2", "T3", "T4")
# Four groups, in the order in which they are sorted, and four training splits.
HOSTILE = {
    # Two pairs of groups and two changes read "a - b - c" and "x - y - z".
    "ambiguous": ("a", "a - b", "b - c", "c", "z", "y - z", "x - y", "x"),
    "words": (
        *(" - ", "a, b", "range over x, y", "trend in age"),
        *("all", "all - male", "range over all", "male, female"),
    ),
}


def swapped(value: object, names: tuple[str, ...]) -> object:
    """Put other names in the place of the plain ones."""
    if not isinstance(value, str):
        return value
    by_plain = dict(zip(PLAIN, names, strict=True))
    return re.sub("|".join(PLAIN), lambda found: by_plain[found[0]], value)


def words(text: str) -> str:
    """Where a line breaks depends on the length of names."""
    return " ".join(text.split())


@functools.cache
def people(names: tuple[str, ...]) -> pd.DataFrame:
    return diagnosed.people(n=24, groups=names[:4])


@functools.cache
def study(names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Measure a made-up study of four groups and four training splits, all of which are tested."""
    manifest, splits = people(names), names[4:]
    found = attributes.grouping(manifest, "gender")
    scores = {
        train: diagnosed.scores(manifest, n_seeds=2, gap=0.0, seed=turn)
        for turn, train in enumerate(splits)
    }
    counted = {train: counts.count(each) for train, each in scores.items()}
    models = {train: {"architecture": "vgg16", "train_split": train} for train in splits}
    by_seed = seeds.count(scores[splits[0]], dict.fromkeys(manifest["subject"], 0))
    with mock.patch.object(redraws, "REDRAWS", 40):
        redrawn = redraws.redraws(
            {"vgg16": counted[splits[0]]}, found, splits[0], evaluation=EVALUATION
        )
    # What can be detected is simulated, which takes longest, and knows no names.
    with mock.patch.multiple(detectable, STUDIES=20, HALVINGS=2):
        gaps = [
            groups.fairness(counted[train], found, models[train], evaluation=EVALUATION)
            for train in splits
        ]
    parts = {
        "gaps": pd.concat(gaps),
        "metrics": pd.concat(
            cells.metrics(
                scores[train], {**models[train], "test_split": "all"}, evaluation=EVALUATION
            )
            for train in splits
        ),
        "by_group": pd.concat(
            by_group.metrics(scores[train], [found], models[train], evaluation=EVALUATION)
            for train in splits
        ),
        "changes": pairing.effects(counted, found, "vgg16", evaluation=EVALUATION),
    }
    twice = {
        name: pd.concat([part.assign(architecture=one) for one in ARCHITECTURES], ignore_index=True)
        for name, part in parts.items()
    }
    asked = [scored.question(*splits)]
    primary = EVALUATION.primary
    judged = {
        "fairness": ("gaps", judgement.primary, tables.FAIRNESS),
        "effects": ("changes", judgement.primary_effects, tables.EFFECTS),
    }
    return {
        "metrics": twice["metrics"],
        "by_group": twice["by_group"],
        "variance": variance.variance(by_seed, found, models[splits[0]], evaluation=EVALUATION),
        "redraws": redrawn,
    } | {
        name: tables.check(
            judgement.judge(twice[part], choose(twice[part], primary, asked), EVALUATION), table
        )
        for name, (part, choose, table) in judged.items()
    }


def roles(names: tuple[str, ...]) -> pd.DataFrame:
    made_up = diagnosed.splits(people(PLAIN).replace({"gender": {"Q1": "female"}}))
    parts = [
        made_up.assign(train_split=made_up["train_split"].replace([*diagnosed.TRAINS], [*splits]))
        for splits in (names[4:6], names[6:])
    ]
    return pd.concat(parts, ignore_index=True)


@functools.cache
def confounded(names: tuple[str, ...]) -> pd.DataFrame:
    manifest, plain = people(names), people(PLAIN)
    women = plain.assign(gender=plain["gender"].replace("Q1", "female"))
    lost = diagnosed.excluded(women, of_women=1).assign(gender=names[0])
    return confounds.confounds(
        manifest,
        lost,
        diagnosed.quality(women, smaller=20.0),
        roles(names),
        diagnosed.LABELS,
        attributes=("gender",),
        evaluation=EVALUATION,
    )


@functools.cache
def explained(names: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    rows = located.manifest(subjects=16, repetitions=1)
    rows["gender"] = [names[int(subject[1:]) % 4] for subject in rows["subject"]]
    settings = located.evaluation(resamples=100, permutations=99)
    facts = [
        located.explained(rows, architecture=name, train_split=names[4], seed=seed)
        for seed, name in enumerate(ARCHITECTURES)
    ]
    means, gaps, joint = relevance_stage.compared(
        pd.concat([located.relevance(part, seed=seed) for seed, part in enumerate(facts)]),
        pd.concat(facts),
        rows,
        labels=located.labels(),
        evaluation=settings,
    )
    asked = scored.question(*names[4:])
    return means, relevance_stage.judged(gaps, settings, (asked,), ARCHITECTURES, "lrp"), joint


TABLES = {
    **{
        name: lambda names, name=name: study(names)[name]
        for name in ("fairness", "effects", "variance", "redraws")
    },
    "confounds": confounded,
    "relevance_gaps": lambda names: explained(names)[1],
    "relevance_joint": lambda names: explained(names)[2],
}


def assert_swapped(found: pd.DataFrame, plain: pd.DataFrame, names: tuple[str, ...]) -> None:
    expected = plain.reset_index(drop=True)
    for name, column in plain.select_dtypes(exclude="number").items():
        expected[name] = pd.Series([swapped(value, names) for value in column], dtype=column.dtype)
    pd.testing.assert_frame_equal(found.reset_index(drop=True), expected)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("names", HOSTILE.values(), ids=HOSTILE)
def test_tables_are_those_of_plain_names(name, names):
    plain = TABLES[name](PLAIN)
    assert len(plain)
    assert_swapped(TABLES[name](names), plain, names)


def test_hostile_words_are_alike_where_names_are_not():
    names = HOSTILE["ambiguous"]
    gaps, effects = study(names)["fairness"], study(names)["effects"]
    assert len(gaps.loc[gaps["groups"] == "a - b - c", ["first", "second"]].drop_duplicates()) == 2
    same = effects[effects["train_splits"] == "x - y - z"]
    assert len(same[["after", "before"]].drop_duplicates()) == 2


# What is drawn from what, and what is selected.
FIGURES = {
    "gaps": lambda names: ({"fairness": study(names)["fairness"]}, {}),
    "gaps of a pair": lambda names: (
        {"fairness": study(names)["fairness"][lambda rows: rows["comparison"] == "pair"]},
        {"first": names[0], "second": names[2]},
    ),
    "gaps_signed": lambda names: ({"fairness": study(names)["fairness"]}, {}),
    "gaps_signed of a pair": lambda names: (
        {"fairness": study(names)["fairness"]},
        {"first": names[1], "second": names[3]},
    ),
    "variance": lambda names: ({"variance": study(names)["variance"]}, {}),
    "redraws": lambda names: ({"redraws": study(names)["redraws"]}, {}),
    "sensitivity": lambda names: (
        {"metrics": study(names)["metrics"], "fairness": study(names)["fairness"]},
        {"variants": json.dumps({name: made.VARIANTS[name] for name in ARCHITECTURES})},
    ),
    "confounds": lambda names: ({"confounds": confounded(names)}, {}),
    "relevance_joint": lambda names: (
        dict(zip(("gaps", "joint"), explained(names)[1:], strict=True)),
        {},
    ),
}


def drawn(name: str, names: tuple[str, ...]):
    given, select = FIGURES[name](names)
    return draw(name.split(" of ")[0], given, attribute="gender", **select)


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_those_of_plain_names(name):
    plain, numbers = drawn(name, PLAIN)
    for names in HOSTILE.values():
        figure, found = drawn(name, names)
        assert_swapped(found, numbers, names)
        assert spoken(texts(figure)) == spoken([swapped(text, names) for text in texts(plain)])
        for axes, other in zip(figure.axes, plain.axes, strict=True):
            np.testing.assert_array_equal(axes.dataLim.bounds, other.dataLim.bounds)


def spoken(said: list[str]) -> list[str]:
    """Keep what is more than the number at a tick, which goes by the room that there is."""
    return sorted(words(text) for text in said if any(letter.isalpha() for letter in text))


@pytest.mark.parametrize("names", HOSTILE.values(), ids=HOSTILE)
def test_printed_tables_are_those_of_plain_names(names):
    parts, plain = (print_table.fairness(study(each)["fairness"]) for each in (names, PLAIN))
    assert len(parts) == len(plain) == 2 * 4
    for part, other in zip(parts, plain, strict=True):
        assert part.caption == swapped(other.caption, names)
        assert_swapped(part.wide(), other.wide(), names)
        assert part.tex().count(r"\addlinespace") == other.tex().count(r"\addlinespace")


def page(names: tuple[str, ...]) -> str:
    splits, given = names[4:], study(names)
    data = start_pages.study_settings()["data"]
    (weaker,) = data["drawn"]["bias"]
    weaker |= {"group": {"gender": names[0]}, "labels": ["grief"]}
    return start_page.render(
        start_page.facts(
            name="hostile",
            title="",
            data=build(Data, data),
            labels=diagnosed.LABELS,
            evaluation=EVALUATION,
            seeds=(1, 2),
            folds=1,
            architectures=ARCHITECTURES,
            trains=splits,
            tests=("all",),
            matched={splits[0]: splits[2], splits[1]: splits[3]},
            questions=(scored.question(*splits[:2]),),
            metrics=given["metrics"],
            by_group=given["by_group"],
            excluded=pd.DataFrame(columns=list(tables.EXCLUDED.columns)),
            fairness=given["fairness"],
            exclusions=made.exclusions(none=True),
            roles=roles(names),
            manifest=people(names),
            confounds=confounded(names),
            effects=given["effects"],
        )
    )


@pytest.mark.parametrize("names", HOSTILE.values(), ids=HOSTILE)
def test_the_start_page_is_that_of_plain_names(names):
    plain = page(PLAIN)
    for said in ("Q1 \u2212 Q2", "T2 instead of T1", "T4 instead of T3"):
        assert said in plain, said
    assert words(page(names)) == words(swapped(plain, names))


@pytest.mark.parametrize("names", HOSTILE.values(), ids=HOSTILE)
def test_gaps_of_a_card_are_those_of_plain_names(names):
    def gaps(each):
        rows = study(each)["fairness"]
        found = card_facts.gaps_of(rows[rows["architecture"] == "vgg16"])
        return [(row["train"], row["groups"], str(row["found"])) for row in found]

    plain = gaps(PLAIN)
    assert gaps(names) == [tuple(swapped(part, names) for part in row) for row in plain]


@pytest.mark.parametrize("names", HOSTILE.values(), ids=HOSTILE)
def test_an_audit_says_what_it_says_of_plain_names(names):
    def said(each):
        frame = scored.classes(np.random.default_rng(1), n_subjects=16, n_samples=12)
        frame["gender"] = [each[int(subject[1:]) % 4] for subject in frame["subject"]]
        labels = scored.labels("joy", "grief", "rage")
        metrics, fairness = audit.audit(frame, labels, evaluation=EVALUATION)
        return audit.summary(metrics, fairness, evaluation=EVALUATION)

    plain = said(PLAIN)
    assert "range over Q1, Q2, Q3, Q4" in plain
    assert said(names) == swapped(plain, names)


@pytest.mark.parametrize("name", ["published", "published_comparison"])
def test_figures_of_published_gaps_do_not_read_the_words(name):
    source, table, select = {
        "published": ("intervals", published_results.intervals(), {"attribute": "gender"}),
        "published_comparison": (
            "comparison",
            published_results.compared(),
            {"definition": "published"},
        ),
    }[name]
    figures = [
        draw(name, {source: each}, **select)[0] for each in (table, table.assign(groups="?"))
    ]
    said, same = map(texts, figures)
    assert said == same
    assert any("female and male" in words(text) for text in said)
