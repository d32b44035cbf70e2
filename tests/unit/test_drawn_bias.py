"""Every planted bias does what it says, to whom it says, and nothing else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from facebias.data.datasets.drawn import bias, stage
from facebias.data.datasets.drawn.bending import Bending
from facebias.data.datasets.drawn.expressions import EXPRESSIONS, UNITS
from facebias.data.datasets.drawn.head import Head, head
from facebias.data.datasets.drawn.looks import looks
from facebias.data.datasets.drawn.people import people, samples
from facebias.study import Drawn

NAMES = tuple(EXPRESSIONS)
DRAWN = Drawn(
    subjects=60, repetitions=2, seed=7, size=96, frames=10, fps=24, shards=3, bias=()
)  # fmt: skip
FEMALE = {"gender": "female"}


def planted(*entries: dict) -> Drawn:
    return dataclasses.replace(DRAWN, bias=entries)


@pytest.fixture(scope="module")
def actors() -> dict[str, tuple[Head, Bending]]:
    """Return a woman (P001) and a man (P002), painted."""
    persons = people(DRAWN).set_index("subject", drop=False)
    painted = {name: head(looks(7, persons.loc[name]), size=96) for name in ("P001", "P002")}
    return {name: (person, Bending(person)) for name, person in painted.items()}


def filmed(drawn: Drawn, actors: dict, subject: str, label: str):
    return stage.shot(drawn, people(drawn), *actors[subject], subject, label, 1)


def intensities(truth) -> np.ndarray:
    return truth[[f"au_{unit}" for unit in UNITS]].to_numpy()


def test_weaker_multiplies_the_intensities(actors):
    drawn = planted({"kind": "weaker", "group": FEMALE, "labels": ["anger"], "factor": 0.4})
    _, plain = filmed(DRAWN, actors, "P001", "anger")
    _, weak = filmed(drawn, actors, "P001", "anger")
    np.testing.assert_allclose(intensities(weak), 0.4 * intensities(plain), atol=2e-6)
    assert intensities(plain).max() > 0.3


@pytest.mark.parametrize(("subject", "label"), [("P002", "anger"), ("P001", "happiness")])
def test_weaker_leaves_others_as_they_are(actors, subject, label):
    drawn = planted({"kind": "weaker", "group": FEMALE, "labels": ["anger"], "factor": 0.4})
    frames, truth = filmed(DRAWN, actors, subject, label)
    again, same = filmed(drawn, actors, subject, label)
    assert np.array_equal(frames, again)
    assert np.array_equal(intensities(truth), intensities(same))
    assert samples(drawn, NAMES).equals(samples(DRAWN, NAMES))


def test_other_units_replace_the_prototype(actors):
    entry = {"kind": "other_units", "group": FEMALE, "label": "anger", "units": {"9": 1.0}}
    _, plain = filmed(DRAWN, actors, "P001", "anger")
    _, other = filmed(planted(entry), actors, "P001", "anger")
    assert other["au_9"].max() > 0.25 > plain["au_9"].max()
    assert other["au_23"].max() < 0.01 < plain["au_23"].max()
    assert bias.prototype(planted(entry), people(DRAWN), "P002", "anger")[0] == EXPRESSIONS["anger"]


def test_other_units_of_contempt_show_on_both_sides():
    entry = {"kind": "other_units", "group": FEMALE, "label": "contempt", "units": {"14": 1.0}}
    persons = people(DRAWN)
    assert bias.prototype(planted(entry), persons, "P001", "contempt") == ({14: 1.0}, False)
    assert bias.prototype(planted(entry), persons, "P002", "contempt")[1] is True


@pytest.mark.parametrize("where", bias.PLACES)
def test_cue_colours_its_place_and_nothing_else(actors, where):
    entry = {"kind": "cue", "group": FEMALE, "label": "anger", "where": where, "strength": 1.0}
    frames, truth = filmed(DRAWN, actors, "P001", "anger")
    marked, same = filmed(planted(entry), actors, "P001", "anger")
    assert set(same["cues"]) == {where}
    assert set(truth["cues"]) == {""}
    assert np.array_equal(intensities(truth), intensities(same))
    assert all(
        np.array_equal(a, b) for a, b in zip(truth["landmarks"], same["landmarks"], strict=True)
    )
    changed = np.abs(frames.astype(int) - marked).max(axis=(0, 3)) > 12
    points = np.stack(truth["landmarks"]).reshape(-1, 68, 2)
    x, y = points[-1, 30].astype(int)
    assert not changed[y - 5 : y + 10, x - 8 : x + 9].any()
    assert 0.01 < changed.mean() < (0.9 if where == "background" else 0.2)
    assert changed[:8, :8].all() == (where == "background")


def test_cue_strength_is_the_share_of_films_that_carry_it():
    entry = {"kind": "cue", "group": {}, "label": "anger", "where": "hair", "strength": 0.3}
    drawn, persons = planted(entry), people(DRAWN)
    films = samples(dataclasses.replace(drawn, repetitions=10), NAMES)
    angry = films[films["true_label"] == "anger"]
    carried = [
        bool(bias.cues(drawn, persons, row.subject, "anger", row.sample))
        for row in angry.itertuples()
    ]
    assert np.mean(carried) == pytest.approx(0.3, abs=0.07)
    assert not bias.cues(drawn, persons, "P001", "sadness", "P001-sadness-1")


def test_label_noise_replaces_a_share_of_recorded_labels_only():
    drawn = planted({"kind": "label_noise", "group": FEMALE, "share": 0.25})
    noisy, clean = samples(drawn, NAMES), samples(DRAWN, NAMES)
    assert noisy.drop(columns="label").equals(clean.drop(columns="label"))
    women = noisy["subject"].isin(people(DRAWN).query("gender == 'female'")["subject"])
    wrong = noisy["label"] != noisy["true_label"]
    assert wrong[women].mean() == pytest.approx(0.25, abs=0.06)
    assert not wrong[~women].any()
    assert set(noisy["label"]) == set(NAMES)


def test_frequencies_scale_the_number_of_films():
    drawn = planted(
        {"kind": "frequencies", "group": FEMALE, "labels": {"anger": 0.25, "sadness": 2}}
    )
    films = samples(drawn, NAMES).merge(people(drawn), on="subject")
    counts = films.groupby(["gender", "label"]).size()
    assert counts["female", "sadness"] == 30 * 4
    assert counts["female", "anger"] == pytest.approx(15, abs=8)
    assert counts["female", "happiness"] == 60
    assert set(counts["male"]) == {60}


def test_biases_add_up():
    entry = {"kind": "weaker", "group": {}, "labels": ["anger"], "factor": 0.5}
    drawn = planted(entry, {**entry, "group": {"any": [FEMALE, {"skin": ["dark"]}]}})
    persons = people(drawn)
    assert bias.factor(drawn, persons, "P001", "anger") == 0.25
    assert bias.factor(drawn, persons, "P002", "anger") == 0.5


FAULTS = [
    ({"kind": "weeker"}, "bias[0].kind: found 'weeker'", "did you mean weaker?"),
    ({"kind": "weaker", "group": FEMALE, "labels": ["anger"]}, "bias[0].factor: missing", "factor"),
    (
        {"kind": "weaker", "group": FEMALE, "labels": ["angr"], "factor": 0.4},
        "bias[0].labels: found the label 'angr'",
        "did you mean anger?",
    ),
    (
        {"kind": "weaker", "group": FEMALE, "labels": ["anger"], "factor": 4},
        "bias[0].factor: found 4",
        "from 0 to 1",
    ),
    (
        {"kind": "weaker", "group": {"gendr": "x"}, "labels": ["anger"], "factor": 0.4},
        "bias[0].group: found the attribute 'gendr'",
        "did you mean gender?",
    ),
    (
        {"kind": "label_noise", "group": {"skinn": "x", "gendr": "x"}, "share": 0.1},
        "bias[0].group: found the attribute 'gendr'",
        "did you mean gender?",
    ),
    (
        {"kind": "label_noise", "group": {"gender": "f"}, "share": 0.1},
        "bias[0].group: {'gender': 'f'} selects none",
        "60 drawn people",
    ),
    ({"kind": "label_noise", "group": "female", "share": 0.1}, "bias[0].group", "a condition"),
    (
        {"kind": "label_noise", "group": FEMALE, "share": 0.1, "shar": 1},
        "bias[0].shar: unknown key",
        "did you mean share?",
    ),
    (
        {"kind": "cue", "group": FEMALE, "label": "anger", "where": "hat", "strength": 1},
        "bias[0].where: found 'hat'",
        "background, hair",
    ),
    (
        {"kind": "other_units", "group": FEMALE, "label": "anger", "units": {"3": 1}},
        "bias[0].units: found the Action Unit '3'",
        "expected one of 1, 2",
    ),
    (
        {"kind": "frequencies", "group": FEMALE, "labels": {"anger": "often"}},
        "bias[0].labels: anger: found 'often'",
        "a number from 0 to 10",
    ),
    *(
        (
            {"kind": "frequencies", "group": FEMALE, "labels": nothing},
            f"bias[0].labels: found {nothing!r}",
            "expected labels and factors",
        )
        for nothing in ({}, ["anger"])
    ),
    *(
        (
            {"kind": "other_units", "group": FEMALE, "label": "anger", "units": nothing},
            f"bias[0].units: found {nothing!r}",
            "expected Action Units and intensities",
        )
        for nothing in ({}, [4])
    ),
]


@pytest.mark.parametrize(("entry", "where", "hint"), FAULTS)
def test_a_fault_is_one_readable_line(entry, where, hint):
    lines = bias.check(planted(entry), NAMES)
    assert len([line for line in lines if where in line and hint in line]) == 1
    assert all(line.startswith("data.drawn.bias[0].") for line in lines)


def test_a_label_that_nobody_can_show_is_a_fault():
    (line,) = bias.check(DRAWN, ("hapiness",))
    assert line.startswith("labels.names[0]: found the label 'hapiness'")
    assert "did you mean happiness?" in line


def test_a_sound_config_has_no_faults():
    entries = [
        {"kind": "weaker", "group": FEMALE, "labels": ["anger"], "factor": 0.4},
        {"kind": "other_units", "group": {"skin": ["dark"]}, "label": "anger", "units": {"4": 0.5}},
        {"kind": "cue", "group": FEMALE, "label": "anger", "where": "hair", "strength": 0.5},
        {"kind": "label_noise", "group": {"age": {"min": 50}}, "share": 0.1},
        {"kind": "frequencies", "group": {"all": [FEMALE]}, "labels": {"anger": 2}},
    ]
    assert bias.check(planted(*entries), NAMES) == []
    assert {entry["kind"] for entry in entries} == set(bias.KINDS)
