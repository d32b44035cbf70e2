"""Data sets that are broken as a whole: one readable message, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facebias import __main__, study
from media import (
    data_settings,
    label_settings,
)

BLACK = np.zeros((160, 160, 3), np.uint8)


SAMPLES = "sample,subject,path,label\na,p1,a.png,smiling\nb,p2,b.png,neutral\n"
SUBJECTS = "subject,gender\np1,female\np2,male\n"
LAYOUT = {"manifest": None, "layout": "{label}/{subject}.png"}
UNITS = {"labels": label_settings("units", ("AU1", "AU12"))}

# Settings that change, files that change (None: absent), and what the message holds.
FAULTS: dict[str, tuple[dict, dict, list[str]]] = {
    "no root": ({"root": "elsewhere"}, {}, ["data.root:", "elsewhere does not exist"]),
    "root is a file": ({"root": "samples.csv"}, {}, ["data.root:", "samples.csv is a file"]),
    "no table": ({}, {"samples.csv": None}, ["data.manifest:", "samples.csv does not exist"]),
    "no subjects": ({}, {"subjects.csv": None}, ["data.subjects:", "subjects.csv does not exist"]),
    "empty table": ({}, {"samples.csv": b""}, ["samples.csv is empty", "with a header"]),
    "header only": ({}, {"samples.csv": b"subject,path,label\n"}, ["samples.csv", "no rows"]),
    "semicolons": (
        {},
        {"samples.csv": SAMPLES.replace(",", ";").encode()},
        ["no column 'subject'", "separated by semicolons"],
    ),
    "latin-1": (
        {},
        {"subjects.csv": "subject,gender\np1,häufig\n".encode("latin-1")},
        ["subjects.csv is not UTF-8", "CSV UTF-8"],
    ),
    "spreadsheet": ({}, {"subjects.csv": b"PK\x03\x04\xff\xfe\x9c\xb1"}, ["is not UTF-8"]),
    "ragged": (
        {},
        {"samples.csv": (SAMPLES + "c,p1,c.png,smiling,more,still\n").encode()},
        ["samples.csv is not a readable CSV table", "line 4"],
    ),
    "more cells than columns": (
        {},
        {"subjects.csv": b"subject,gender\np1,female,tall\np2,male,small\n"},
        ["subjects.csv is not a readable CSV table", "Expected 2 fields in line 2, saw 3"],
    ),
    "column twice": (
        {},
        {"subjects.csv": b"subject,gender, gender\np1,female,male\np2,male,female\n"},
        ["subjects.csv has two columns 'gender'; remove one of them"],
    ),
    "column misspelt": (
        {},
        {"samples.csv": SAMPLES.replace("label", "lable").encode()},
        ["no column 'label'", "did you mean lable"],
    ),
    "sample twice": (
        {},
        {"samples.csv": (SAMPLES + "a,p2,c.png,neutral\n").encode()},
        ["rows 2 and 4 both are sample 'a'"],
    ),
    "subject twice": (
        {},
        {"subjects.csv": (SUBJECTS + "p1,male\n").encode()},
        ["rows 2 and 4 both are subject 'p1'"],
    ),
    "subject without name": (
        {},
        {"subjects.csv": (SUBJECTS + ",male\n").encode()},
        ["row 4 has no subject"],
    ),
    "attribute misspelt": (
        {"attributes": ["gendr"], "required": []},
        {},
        ["data.attributes: the subjects have no 'gendr'", "did you mean gender"],
    ),
    "attribute contradicts itself": (
        {"subjects": None},
        {"samples.csv": b"subject,path,label,gender\np1,a.png,smiling,f\np1,b.png,smiling,m\n"},
        ["subject p1 has more than one gender: f, m"],
    ),
    "publishable is neither": (
        {},
        {"subjects.csv": b"subject,gender,publishable\np1,f,yes\np2,f,perhaps\np3,f,no\n"},
        ["row 3: publishable is 'perhaps'", "yes or no"],
    ),
    "layout fits nothing": (
        LAYOUT | {"layout": "{subject}/{label}/{take}.png"},
        {},
        ["fits none of the 2 pictures", "such as a.png"],
    ),
    "layout without subject": (
        LAYOUT | {"layout": "{label}/{name}.png"},
        {},
        ["has no {subject}", "{label}/{subject}.jpg"],
    ),
    "layout without ending": (LAYOUT | {"layout": "{label}/{subject}"}, {}, ["has no ending"]),
    "layout with a bad name": (
        LAYOUT | {"layout": "{label}/{subject id}.png"},
        {},
        ["'subject id' is no name"],
    ),
    "layout and table": ({"layout": "{label}/{subject}.png"}, {}, ["both given"]),
    "layout without subjects": (
        LAYOUT | {"subjects": None},
        {},
        ["data.subjects: missing, it is needed with data.layout"],
    ),
    "unit without column": (
        UNITS,
        {"samples.csv": b"subject,path,label_AU1,label_AU2\np1,a.png,1,0\n"},
        ["no column 'label_AU12'", "did you mean label_AU2 or label_AU1"],
    ),
    "units in folders": (UNITS | LAYOUT, {}, ["labels.kind is units", "data.manifest"]),
    "all are unusable": (
        {},
        {"a.png": b"", "b.png": None},
        ["none of 2 samples", "1 x empty file, such as", "1 x no such file"],
    ),
}


@pytest.fixture
def folder(tmp_path) -> Iterator[Path]:
    (tmp_path / "samples.csv").write_text(SAMPLES, encoding="utf-8")
    (tmp_path / "subjects.csv").write_text(SUBJECTS, encoding="utf-8")
    for name in ("a.png", "b.png"):
        Image.fromarray(BLACK).save(tmp_path / name)
    return tmp_path


def make_manifest(folder: Path, **changes: object) -> int:
    labels = changes.pop("labels", label_settings())
    root = folder / str(changes.pop("root", ""))
    settings = study.settings(data=data_settings(**changes), labels=labels)
    return __main__.main(
        ["manifest", "--settings", settings, "--root", str(root),
         "--out", f"{folder}/manifest.csv", "--excluded", f"{folder}/manifest-excluded.csv"]
    )  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_fault_of_the_whole_study_is_one_readable_message(folder, capsys, name):
    changes, contents, expected = FAULTS[name]
    for path, content in contents.items():
        (folder / path).unlink()
        if content is not None:
            (folder / path).write_bytes(content)
    assert make_manifest(folder, **changes) == 1
    message = capsys.readouterr().err
    assert message.startswith("facebias manifest: data")
    assert "Traceback" not in message
    for part in expected:
        assert part in message
    assert not (folder / "manifest.csv").exists()


def test_the_unchanged_study_has_no_fault(folder):
    assert make_manifest(folder) == 0
