"""Configurations of data sets: defaults, and what is said where they do not fit."""

from __future__ import annotations

import pytest
import studies

from facebias.data import datasets
from facebias.study import ConfigError, Data, configuration
from facebias.workflow import checks

CKPLUS = {"adapter": "ckplus", "root": "x", "subjects": "subjects.csv"}
PICTURES = {"adapter": "pictures", "root": "x", "manifest": "samples.csv"}
COMBINED = {"adapter": "combined", "sets": {"one": CKPLUS, "two": PICTURES}}
BROKEN = {
    "root missing": (
        {"adapter": "ravdess"},
        "data.root: missing, it is needed: the folder of the data set",
    ),
    "people missing": (
        {"adapter": "sase_fe", "root": "x"},
        "data.subjects: missing, it is needed: the table of subjects",
    ),
    "key of another adapter": (
        CKPLUS | {"layout": "{label}/{subject}.jpg"},
        "data.layout: not for the adapter ckplus; remove it",
    ),
    "section of another adapter": (
        CKPLUS | {"ravdess": {}},
        "data.ravdess: not for the adapter ckplus; remove it",
    ),
    "unknown option": (
        CKPLUS | {"ckplus": {"last_frame": 3}},
        "data.ckplus.last_frame: unknown key; did you mean last_frames? allowed: ",
    ),
    "intensity out of range": (
        CKPLUS | {"ckplus": {"min_intensity": 6}},
        "data.ckplus.min_intensity: found 6, expected at most 5",
    ),
    "last frames of sequences": (
        CKPLUS | {"ckplus": {"last_frames": 3}},
        "data.ckplus.last_frames: only where frames are samples; remove it",
    ),
    "several frames of frames": (
        CKPLUS | {"ckplus": {"samples": "frames"}},
        "clips.windows: 2 frames of a picture, expected one window with k: 1",
    ),
    "sets missing": (
        {"adapter": "combined"},
        "data.sets: missing, it is needed: the data sets by name, each with its adapter and root",
    ),
    "sets of one": (
        PICTURES | {"sets": COMBINED["sets"]},
        "data.sets: only for the adapter combined, found pictures; remove it",
    ),
    "one set alone": (
        {"adapter": "combined", "sets": {"one": CKPLUS}},
        "data.sets: found keys and values, expected at least 2 of them",
    ),
    "drawn people in a set": (
        {"adapter": "combined", "sets": {"one": CKPLUS, "two": {"adapter": "drawn"}}},
        'data.sets.two.adapter: found "drawn"; allowed: ',
    ),
    "fault in a set": (
        {"adapter": "combined", "sets": {"one": CKPLUS, "two": PICTURES | {"layout": "x"}}},
        "data.sets.two.manifest, data.sets.two.layout: both given, expected one of the two",
    ),
    "attributes of a set": (
        {"adapter": "combined", "sets": {"one": CKPLUS | {"attributes": ["a"]}, "two": PICTURES}},
        "data.sets.one.attributes: unknown key",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_data_set_that_does_not_fit(name):
    data, message = BROKEN[name]
    with pytest.raises(ConfigError) as fault:
        checks.check(configuration.load(studies.SMALL | {"data": data}), root="x")
    assert [line for line in fault.value.lines if line.startswith(message)]


def test_every_data_set_gets_its_section():
    assert loaded(CKPLUS).ckplus.samples == "sequences"
    assert loaded({"adapter": "ravdess", "root": "x"}).ravdess.channels == ("speech",)
    combined = loaded(COMBINED)
    assert combined.sets["one"].ckplus.min_intensity == 1
    assert combined.sets["one"].ravdess is None
    assert combined.sets["two"].ckplus is None


def loaded(data: dict) -> Data:
    return configuration.load(studies.SMALL | {"data": data}).data


def test_every_adapter_says_what_it_takes():
    for name in datasets.ADAPTERS:
        adapter = datasets.adapter(name)
        assert set(adapter.NEEDS) <= set(adapter.TAKES)
        assert set(configuration.SECTIONS) & {name} <= set(adapter.TAKES)
