"""CK+ and the units of both data sets: miniatures in their files, and what can be wrong."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from annotated import (
    CLASSES,
    PEOPLE,
    SEQUENCES,
    UNITS,
    actor_settings,
    ckplus_settings,
    combined_settings,
    landmarks,
    units,
)

from facebias import tables
from facebias.clips.decode import Footage
from facebias.data import datasets
from facebias.data.datasets.ckplus import UNITS as CODED
from facebias.study import StudyError
from media import label_settings
from miniatures import ckplus


def facs(folder: Path, subject: str, sequence: str) -> Path:
    (path,) = (folder / "ckplus" / "FACS" / subject / sequence).glob("*.txt")
    return path


# --------------------------------------------------------------------------------------------- CK+


def test_units_of_ckplus_are_those_of_its_table():
    """Lucey et al. 2010, table 1 has no others."""
    assert sorted(CODED) == list(CODED)
    left_out = {3, 8, 19, 22, 30, 32, 33, 35, 36, 37, 40, 41, 42}
    assert set(range(1, 44)) - set(CODED) == left_out


def test_ckplus_sequences_are_samples(unit_data):
    found, excluded = datasets.manifest(ckplus_settings(), units(), unit_data / "ckplus")
    assert excluded.empty
    assert found["sample"].tolist()[:3] == ["S005_001", "S005_002", "S006_001"]
    assert len(found) == PEOPLE * SEQUENCES
    assert found["path"][0].endswith("cohn-kanade-images/S005/001")
    assert found["publishable"].tolist() == [True] * 2 + [False] * 6
    # The first person shows surprise, which raises both ends of the brows.
    assert found.loc[0, ["label_AU1", "label_AU2", "label_AU12"]].tolist() == [1, 1, 0]
    shown = [
        int(12 in _codes(facs(unit_data, row.subject, row.sample[-3:])))
        for row in found.itertuples()
    ]
    assert found["label_AU12"].tolist() == shown


def test_broken_link_in_a_sequence_is_no_end_of_the_plan(unit_data_copy):
    root = unit_data_copy / "ckplus"
    before = datasets.fingerprint(ckplus_settings(), units(), root)
    frame = sorted((root / "cohn-kanade-images/S005/001").glob("*.png"))[-1]
    frame.unlink()
    frame.symlink_to("gone.png")
    assert datasets.fingerprint(ckplus_settings(), units(), root) != before
    assert len(datasets.manifest(ckplus_settings(), units(), root)[0]) == PEOPLE * SEQUENCES


def test_pipe_in_place_of_a_file_is_not_waited_for(unit_data_copy):
    path = facs(unit_data_copy, "S005", "001")
    path.unlink()
    os.mkfifo(path)
    excluded = datasets.manifest(ckplus_settings(), units(), unit_data_copy / "ckplus")[1]
    assert excluded["reason"].tolist() == [f"not a file: {path.name}"]


def _codes(path: Path) -> dict[int, int]:
    lines = [line.split() for line in path.read_text().splitlines()]
    return {int(float(unit)): int(float(level)) for unit, level in lines}


def test_ckplus_units_of_a_sequence_are_those_of_all_its_frames(unit_data):
    found, _ = datasets.manifest(ckplus_settings("frames"), units(), unit_data / "ckplus")
    sequences, _ = datasets.manifest(ckplus_settings(), units(), unit_data / "ckplus")
    assert len(found) == PEOPLE * SEQUENCES * ckplus.FRAMES
    assert found["sample"][0] == "S005_001_00000001"
    of_sequence = sequences.set_index("sample")
    for row in found.itertuples():
        told = of_sequence.loc[row.sample[:8], [f"label_{name}" for name in UNITS]]
        assert [getattr(row, f"label_{name}") for name in UNITS] == told.tolist()


def test_ckplus_last_frames(unit_data):
    found, _ = datasets.manifest(ckplus_settings("frames", 2), units(), unit_data / "ckplus")
    assert len(found) == PEOPLE * SEQUENCES * 2
    assert set(found["sample"].str[-8:]) == {"00000003", "00000004"}


def test_ckplus_intensity_becomes_occurrence(unit_data_copy):
    facs(unit_data_copy, "S005", "001").write_text(
        "   1.0000000e+00   3.0000000e+00\n   2.0000000e+00   2.0000000e+00\n"
        "   1.2000000e+01   0.0000000e+00\n"
    )
    for least, expected in ((1, [1, 1, 0, 1]), (3, [1, 0, 0, np.nan]), (4, [0, 0, 0, np.nan])):
        data = ckplus_settings("sequences", None, least)
        found, _ = datasets.manifest(data, units(UNITS[:4]), unit_data_copy / "ckplus")
        labels = found.loc[0, [f"label_{name}" for name in UNITS[:4]]].astype(float).tolist()
        np.testing.assert_array_equal(labels, expected)


def test_ckplus_units_that_it_does_not_code_are_missing(unit_data):
    found = datasets.adapter("ckplus").samples(
        ckplus_settings(), units(("AU1", "AU45")), unit_data / "ckplus"
    )
    assert found["label_AU45"].isna().all()
    with pytest.raises(StudyError, match="no sample of the data set is annotated for 'AU45'"):
        datasets.manifest(ckplus_settings(), units(("AU1", "AU45")), unit_data / "ckplus")


def test_ckplus_emotions(unit_data):
    """Sequences without an emotion are no part of a study of emotions."""
    labels = label_settings(names=CLASSES)
    found, excluded = datasets.manifest(ckplus_settings(), labels, unit_data / "ckplus")
    assert excluded.empty
    assert found["sample"].tolist() == ["S005_001", "S006_001", "S007_001", "S008_001"]
    assert found["label"].tolist() == list(CLASSES)
    frames, _ = datasets.manifest(ckplus_settings("frames", 1), labels, unit_data / "ckplus")
    assert frames["label"].tolist() == list(CLASSES)
    assert frames["sample"].str.endswith("00000004").all()


def test_ckplus_sequence_is_read_as_a_film(unit_data):
    found, _ = datasets.manifest(ckplus_settings(), units(), unit_data / "ckplus")
    footage = Footage(Path(found["path"][1]))
    assert footage.grey(16).shape == (ckplus.FRAMES, 16, 16)
    first, last = footage.colour([0, 3])
    assert first.shape == (112, 112, 3)
    assert not np.array_equal(first, last)
    # All sequences of a person but the first are grey.
    assert np.array_equal(first[..., 0], first[..., 2])


def test_ckplus_sets_bad_sequences_aside(unit_data_copy):
    folder = unit_data_copy / "ckplus"
    facs(unit_data_copy, "S005", "001").unlink()
    facs(unit_data_copy, "S005", "002").write_text("   1.0e+00   3.0e+00\n   2.0e+00   x\n")
    facs(unit_data_copy, "S006", "001").write_text("1 7\n")
    (folder / "cohn-kanade-images/S006/002/S006_002_00000002.png").rename(
        folder / "cohn-kanade-images/S006/002/second.png"
    )
    for frame in (folder / "cohn-kanade-images/S007/001").iterdir():
        frame.unlink()
    found, excluded = datasets.manifest(ckplus_settings(), units(), folder)
    reasons = dict(zip(excluded["sample"], excluded["reason"], strict=True))
    assert len(found) == PEOPLE * SEQUENCES - 5
    assert reasons["S005_001"] == "no label: there is no file FACS/S005/001/*_facs.txt"
    assert reasons["S005_002"].startswith(
        "damaged FACS file: FACS/S005/002/S005_002_00000004_facs.txt line 2 is '2.0e+00 x', "
        "expected a unit and an intensity from 0 to 5"
    )
    assert "line 1 is '1 7'" in reasons["S006_001"]
    assert (
        reasons["S006_002"] == "unknown name: second.png, expected one like S006_002_00000001.png"
    )
    assert reasons["S007_001"].startswith("no frames: expected pictures such as S007_001_000")


@pytest.mark.parametrize(
    ("content", "said"),
    [("\n", "is empty, expected a line per unit"), ("0 3\n", "line 1 is '0 3'")],
)
def test_ckplus_file_of_no_unit_is_no_absence_of_all(unit_data_copy, content, said):
    facs(unit_data_copy, "S005", "001").write_text(content)
    found, excluded = datasets.manifest(ckplus_settings(), units(), unit_data_copy / "ckplus")
    assert len(found) == PEOPLE * SEQUENCES - 1
    (reason,) = excluded["reason"]
    assert reason.startswith("damaged FACS file: FACS/S005/001/S005_001_00000004_facs.txt ")
    assert said in reason


def test_ckplus_of_damaged_files_alone_names_one(unit_data_copy):
    for path in (unit_data_copy / "ckplus" / "FACS").rglob("*.txt"):
        path.write_text("1,0 3,0\n")
    with pytest.raises(
        StudyError, match=r"none of 8 samples(.|\n)*8 x damaged FACS file.*'1,0 3,0'"
    ):
        datasets.manifest(ckplus_settings(), units(), unit_data_copy / "ckplus")


def test_ckplus_name_that_is_no_text(unit_data_copy):
    frame = unit_data_copy / "ckplus/cohn-kanade-images/S005/001/S005_001_00000001.png"
    frame.rename(frame.with_name(os.fsdecode(b"h\xe4.png")))
    with pytest.raises(StudyError, match=r"images holds S005/001/h\\udce4.png, a name that is not"):
        datasets.manifest(ckplus_settings("frames"), units(), unit_data_copy / "ckplus")


def test_ckplus_damaged_emotion(unit_data_copy):
    source = unit_data_copy / "ckplus/Emotion/S005/001/S005_001_00000004_emotion.txt"
    source.write_text("   9.0000000e+00\n")
    labels = label_settings(names=CLASSES[1:])
    _, excluded = datasets.manifest(ckplus_settings(), labels, unit_data_copy / "ckplus")
    assert excluded["reason"].tolist() == [
        "damaged emotion file: Emotion/S005/001/S005_001_00000004_emotion.txt, "
        "expected one number from 0 to 7"
    ]
    # It may have been the only one of its emotion.
    with pytest.raises(
        StudyError, match=r"no sample of the data set is 'surprise'(.|\n)*1 x damaged emotion file"
    ):
        datasets.manifest(
            ckplus_settings(), label_settings(names=CLASSES), unit_data_copy / "ckplus"
        )


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("cohn-kanade-images", "no folder cohn-kanade-images; expected the folders of CK+"),
        ("FACS", "no folder FACS; expected the folders of CK+"),
        ("subjects.csv", r"data.subjects: .*subjects.csv does not exist"),
    ],
)
def test_ckplus_without_a_part(unit_data_copy, missing, message):
    (unit_data_copy / "ckplus" / missing).rename(unit_data_copy / "elsewhere")
    with pytest.raises(StudyError, match=message):
        datasets.manifest(ckplus_settings(), units(), unit_data_copy / "ckplus")


def test_changed_labels_are_noticed(unit_data_copy):
    """The files of pictures stay as they are, but what they show is told otherwise."""
    before = datasets.fingerprint(ckplus_settings(), units(), unit_data_copy / "ckplus")
    assert datasets.fingerprint(ckplus_settings(), units(), unit_data_copy / "ckplus") == before
    path = facs(unit_data_copy, "S005", "001")
    path.write_text(path.read_text().replace("1.0000000e+00", "4.0000000e+00", 1))
    changed = datasets.fingerprint(ckplus_settings(), units(), unit_data_copy / "ckplus")
    (unit_data_copy / "ckplus/cohn-kanade-images/S005/001/S005_001_00000004.png").unlink()
    fewer = datasets.fingerprint(ckplus_settings(), units(), unit_data_copy / "ckplus")
    assert len({before, changed, fewer}) == 3


# --------------------------------------------------------------------------------------- landmarks


@pytest.mark.parametrize(
    ("samples", "first", "frames"),
    [("sequences", "S005_001", [0, 1, 2, 3]), ("frames", "S005_001_00000001", [0])],
)
def test_ckplus_landmarks(unit_data, tmp_path, samples, first, frames):
    out = tmp_path / "landmarks.parquet"
    assert landmarks(ckplus_settings(samples), unit_data / "ckplus", out) == 0
    table = tables.read(out, tables.LANDMARKS)
    assert len(table) == PEOPLE * SEQUENCES * ckplus.FRAMES
    theirs = table[table["sample"] == first]
    assert theirs["frame"].tolist() == frames
    points = np.stack(theirs["landmarks"]).reshape(len(frames), 68, 2)
    truth = ckplus.landmarks_of(ckplus.people(1)[0], number=0)[: len(frames)]
    np.testing.assert_allclose(points, truth, atol=1e-4)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["   1.0e+01   2.0e+01"] * 67, "has 67 lines; expected 68 lines of x and y"),
        (["   1.0e+01   2.0e+01"] * 67 + ["3.0"], "line 68 is '3.0'; expected 68 lines of x and y"),
        (["   1.0e+01   nan"] * 68, "line 1 is '1.0e+01 nan'"),
    ],
)
def test_damaged_landmarks(unit_data_copy, tmp_path, capsys, lines, message):
    name = "Landmarks/S006/001/S006_001_00000002_landmarks.txt"
    (unit_data_copy / "ckplus" / name).write_text("\n".join(lines))
    assert landmarks(ckplus_settings(), unit_data_copy / "ckplus", tmp_path / "out.parquet") == 1
    said = capsys.readouterr().err
    assert f"{name} " in said
    assert message in said
    assert not (tmp_path / "out.parquet").exists()


def test_data_sets_without_landmarks(unit_data_copy, tmp_path):
    shutil.rmtree(unit_data_copy / "ckplus" / "Landmarks")
    for data, name in ((ckplus_settings(), "ckplus"), (actor_settings(), "actor_study")):
        assert landmarks(data, unit_data_copy / name, tmp_path / "out.parquet") == 0
        assert tables.read(tmp_path / "out.parquet", tables.LANDMARKS).empty
    assert datasets.has_landmarks(ckplus_settings())
    assert datasets.has_landmarks(combined_settings())
    assert not datasets.has_landmarks(actor_settings())
