"""MTCNN finds the drawn faces, whatever their skin tone, gender, beard or glasses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from facebias.data.datasets.drawn import stage
from facebias.data.datasets.drawn.bending import Bending
from facebias.data.datasets.drawn.expressions import EXPRESSIONS
from facebias.data.datasets.drawn.head import head
from facebias.data.datasets.drawn.looks import BEARDS, Looks, looks
from facebias.data.datasets.drawn.people import people
from facebias.study import Drawn

BANDS = 5
DRAWN = Drawn(
    subjects=400, repetitions=1, seed=23, size=160, frames=6, fps=24, shards=1, bias=()
)  # fmt: skip


@pytest.fixture(scope="module")
def detector():
    from facenet_pytorch import MTCNN

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield MTCNN(keep_all=True, device="cpu")
    torch.set_num_threads(threads)


def found(detector, look: Looks, subject: str, label: str) -> bool:
    """Tell whether the detector finds a face where the landmarks of the apex are."""
    person = head(look, size=DRAWN.size)
    frames, truth = stage.shot(DRAWN, people(DRAWN), person, Bending(person), subject, label, 1)
    boxes, chances = detector.detect(frames[-1])
    if boxes is None or chances[0] is None:
        return False
    points = truth["landmarks"].iloc[-1].reshape(68, 2)
    x, y = points[30]
    inside = (boxes[:, 0] < x) & (x < boxes[:, 2]) & (boxes[:, 1] < y) & (y < boxes[:, 3])
    return bool((inside & (np.asarray(chances, float) >= 0.9)).any())


def banded(count: int) -> list[list[dict]]:
    """Return ``count`` people of each fifth of the tone scale, women and men in turn."""
    persons = people(DRAWN).to_dict("records")
    bands = [[] for _ in range(BANDS)]
    for person in persons:
        bands[min(int(person["skin_tone"] * BANDS), BANDS - 1)].append(person)
    return [band[:count] for band in bands]


@pytest.mark.parametrize("band", range(BANDS))
def test_faces_of_every_skin_tone_are_found(detector, band):
    labels = list(EXPRESSIONS)
    hits = [
        found(detector, looks(DRAWN.seed, person), person["subject"], labels[n])
        for n, person in enumerate(banded(4)[band])
    ]
    assert all(hits)


@pytest.mark.slow
@pytest.mark.parametrize("band", range(BANDS))
def test_at_least_95_percent_of_each_band_are_found(detector, band):
    labels = list(EXPRESSIONS)
    people_of_band = banded(40)[band]
    assert len(people_of_band) == 40
    hits = [
        found(detector, looks(DRAWN.seed, person), person["subject"], labels[n % len(labels)])
        for n, person in enumerate(people_of_band)
    ]
    assert np.mean(hits) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("beard", [name for name, _ in BEARDS])
@pytest.mark.parametrize("glasses", ["none", "thin", "thick"])
def test_beards_and_glasses_are_found_on_the_darkest_skin(detector, beard, glasses):
    hits = []
    for person in [person for person in banded(40)[-1] if person["gender"] == "male"][:10]:
        look = dataclasses.replace(looks(DRAWN.seed, person), beard=beard, glasses=glasses)
        hits.append(found(detector, look, person["subject"], "anger"))
    assert np.mean(hits) >= 0.95


def test_looks_differ_between_people_and_stay_with_one():
    persons = people(DRAWN).to_dict("records")[:2]
    first, second = (looks(DRAWN.seed, person) for person in persons)
    again = looks(DRAWN.seed, persons[0])
    assert np.array_equal(first.skin, again.skin)
    assert (first.jaw, first.hair_style, first.seed) == (again.jaw, again.hair_style, again.seed)
    assert first.jaw != second.jaw


def test_gender_shifts_looks_with_overlap_and_skin_does_not():
    persons = people(DRAWN)
    drawn = [looks(DRAWN.seed, person) for person in persons.to_dict("records")]
    persons["jaw"] = [look.jaw for look in drawn]
    persons["beard"] = [look.beard != "none" for look in drawn]
    women, men = (persons[persons["gender"] == name] for name in ("female", "male"))
    assert men["jaw"].mean() > women["jaw"].mean() + 0.1
    assert men["jaw"].min() < women["jaw"].max()
    assert not women["beard"].any()
    assert 0.3 < men["beard"].mean() < 0.8
    assert persons.groupby("gender")["skin_tone"].mean().diff().abs().max() < 0.05


def test_darker_skin_is_darker_in_steps_without_jumps():
    person = {"subject": "P001", "gender": "male", "age": 40}
    tones = np.linspace(0, 1, 21)
    light = [looks(1, {**person, "skin_tone": tone}).skin.mean() for tone in tones]
    assert (np.diff(light) < 0).all()
    assert np.abs(np.diff(light)).max() < 15
