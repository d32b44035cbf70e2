"""CK+, the Actor Study and both together: miniatures in their files, and what can be wrong."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import annotated
import numpy as np
import pandas as pd
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

from facebias import datasets, tables
from facebias.clips.decode import Footage
from facebias.datasets import files
from facebias.datasets.ckplus import UNITS as CODED
from facebias.study import StudyError
from media import label_settings
from miniatures import ckplus


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    return annotated.write(tmp_path_factory.mktemp("drawn"))


@pytest.fixture
def copied(drawn, tmp_path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "copy"))


def facs(folder: Path, subject: str, sequence: str) -> Path:
    (path,) = (folder / "ckplus" / "FACS" / subject / sequence).glob("*.txt")
    return path


# --------------------------------------------------------------------------------------------- CK+


def test_units_of_ckplus_are_those_of_its_table():
    """Lucey et al. 2010, table 1 has no others."""
    assert sorted(CODED) == list(CODED)
    left_out = {3, 8, 19, 22, 30, 32, 33, 35, 36, 37, 40, 41, 42}
    assert set(range(1, 44)) - set(CODED) == left_out


def test_ckplus_sequences_are_samples(drawn):
    found, excluded = datasets.manifest(ckplus_settings(), units(), drawn / "ckplus")
    assert excluded.empty
    assert found["sample"].tolist()[:3] == ["S005_001", "S005_002", "S006_001"]
    assert len(found) == PEOPLE * SEQUENCES
    assert found["path"][0].endswith("cohn-kanade-images/S005/001")
    assert found["publishable"].tolist() == [True] * 2 + [False] * 6
    # The first person shows surprise, which raises both ends of the brows.
    assert found.loc[0, ["label_AU1", "label_AU2", "label_AU12"]].tolist() == [1, 1, 0]
    shown = [
        int(12 in _codes(facs(drawn, row.subject, row.sample[-3:]))) for row in found.itertuples()
    ]
    assert found["label_AU12"].tolist() == shown


def test_broken_link_in_a_sequence_is_no_end_of_the_plan(copied):
    root = copied / "ckplus"
    before = datasets.fingerprint(ckplus_settings(), units(), root)
    frame = sorted((root / "cohn-kanade-images/S005/001").glob("*.png"))[-1]
    frame.unlink()
    frame.symlink_to("gone.png")
    assert datasets.fingerprint(ckplus_settings(), units(), root) != before
    assert len(datasets.manifest(ckplus_settings(), units(), root)[0]) == PEOPLE * SEQUENCES


def test_pipe_in_place_of_a_file_is_not_waited_for(copied):
    path = facs(copied, "S005", "001")
    path.unlink()
    os.mkfifo(path)
    excluded = datasets.manifest(ckplus_settings(), units(), copied / "ckplus")[1]
    assert excluded["reason"].tolist() == [f"not a file: {path.name}"]


def _codes(path: Path) -> dict[int, int]:
    lines = [line.split() for line in path.read_text().splitlines()]
    return {int(float(unit)): int(float(level)) for unit, level in lines}


def test_ckplus_units_of_a_sequence_are_those_of_all_its_frames(drawn):
    found, _ = datasets.manifest(ckplus_settings("frames"), units(), drawn / "ckplus")
    sequences, _ = datasets.manifest(ckplus_settings(), units(), drawn / "ckplus")
    assert len(found) == PEOPLE * SEQUENCES * ckplus.FRAMES
    assert found["sample"][0] == "S005_001_00000001"
    of_sequence = sequences.set_index("sample")
    for row in found.itertuples():
        told = of_sequence.loc[row.sample[:8], [f"label_{name}" for name in UNITS]]
        assert [getattr(row, f"label_{name}") for name in UNITS] == told.tolist()


def test_ckplus_last_frames(drawn):
    found, _ = datasets.manifest(ckplus_settings("frames", 2), units(), drawn / "ckplus")
    assert len(found) == PEOPLE * SEQUENCES * 2
    assert set(found["sample"].str[-8:]) == {"00000003", "00000004"}


def test_ckplus_intensity_becomes_occurrence(copied):
    facs(copied, "S005", "001").write_text(
        "   1.0000000e+00   3.0000000e+00\n   2.0000000e+00   2.0000000e+00\n"
        "   1.2000000e+01   0.0000000e+00\n"
    )
    for least, expected in ((1, [1, 1, 0, 1]), (3, [1, 0, 0, np.nan]), (4, [0, 0, 0, np.nan])):
        data = ckplus_settings("sequences", None, least)
        found, _ = datasets.manifest(data, units(UNITS[:4]), copied / "ckplus")
        labels = found.loc[0, [f"label_{name}" for name in UNITS[:4]]].astype(float).tolist()
        np.testing.assert_array_equal(labels, expected)


def test_ckplus_units_that_it_does_not_code_are_missing(drawn):
    found = datasets.adapter("ckplus").samples(
        ckplus_settings(), units(("AU1", "AU45")), drawn / "ckplus"
    )
    assert found["label_AU45"].isna().all()
    with pytest.raises(StudyError, match="no sample of the data set is annotated for 'AU45'"):
        datasets.manifest(ckplus_settings(), units(("AU1", "AU45")), drawn / "ckplus")


def test_ckplus_emotions(drawn):
    """Sequences without an emotion are no part of a study of emotions."""
    labels = label_settings(names=CLASSES)
    found, excluded = datasets.manifest(ckplus_settings(), labels, drawn / "ckplus")
    assert excluded.empty
    assert found["sample"].tolist() == ["S005_001", "S006_001", "S007_001", "S008_001"]
    assert found["label"].tolist() == list(CLASSES)
    frames, _ = datasets.manifest(ckplus_settings("frames", 1), labels, drawn / "ckplus")
    assert frames["label"].tolist() == list(CLASSES)
    assert frames["sample"].str.endswith("00000004").all()


def test_ckplus_sequence_is_read_as_a_film(drawn):
    found, _ = datasets.manifest(ckplus_settings(), units(), drawn / "ckplus")
    footage = Footage(Path(found["path"][1]))
    assert footage.grey(16).shape == (ckplus.FRAMES, 16, 16)
    first, last = footage.colour([0, 3])
    assert first.shape == (112, 112, 3)
    assert not np.array_equal(first, last)
    # All sequences of a person but the first are grey.
    assert np.array_equal(first[..., 0], first[..., 2])


def test_ckplus_sets_bad_sequences_aside(copied):
    folder = copied / "ckplus"
    facs(copied, "S005", "001").unlink()
    facs(copied, "S005", "002").write_text("   1.0e+00   3.0e+00\n   2.0e+00   x\n")
    facs(copied, "S006", "001").write_text("1 7\n")
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
def test_ckplus_file_of_no_unit_is_no_absence_of_all(copied, content, said):
    facs(copied, "S005", "001").write_text(content)
    found, excluded = datasets.manifest(ckplus_settings(), units(), copied / "ckplus")
    assert len(found) == PEOPLE * SEQUENCES - 1
    (reason,) = excluded["reason"]
    assert reason.startswith("damaged FACS file: FACS/S005/001/S005_001_00000004_facs.txt ")
    assert said in reason


def test_ckplus_of_damaged_files_alone_names_one(copied):
    for path in (copied / "ckplus" / "FACS").rglob("*.txt"):
        path.write_text("1,0 3,0\n")
    with pytest.raises(
        StudyError, match=r"none of 8 samples(.|\n)*8 x damaged FACS file.*'1,0 3,0'"
    ):
        datasets.manifest(ckplus_settings(), units(), copied / "ckplus")


def test_ckplus_name_that_is_no_text(copied):
    frame = copied / "ckplus/cohn-kanade-images/S005/001/S005_001_00000001.png"
    frame.rename(frame.with_name(os.fsdecode(b"h\xe4.png")))
    with pytest.raises(StudyError, match=r"images holds S005/001/h\\udce4.png, a name that is not"):
        datasets.manifest(ckplus_settings("frames"), units(), copied / "ckplus")


def test_ckplus_damaged_emotion(copied):
    source = copied / "ckplus/Emotion/S005/001/S005_001_00000004_emotion.txt"
    source.write_text("   9.0000000e+00\n")
    labels = label_settings(names=CLASSES[1:])
    _, excluded = datasets.manifest(ckplus_settings(), labels, copied / "ckplus")
    assert excluded["reason"].tolist() == [
        "damaged emotion file: Emotion/S005/001/S005_001_00000004_emotion.txt, "
        "expected one number from 0 to 7"
    ]
    # It may have been the only one of its emotion.
    with pytest.raises(
        StudyError, match=r"no sample of the data set is 'surprise'(.|\n)*1 x damaged emotion file"
    ):
        datasets.manifest(ckplus_settings(), label_settings(names=CLASSES), copied / "ckplus")


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("cohn-kanade-images", "no folder cohn-kanade-images; expected the folders of CK+"),
        ("FACS", "no folder FACS; expected the folders of CK+"),
        ("subjects.csv", r"data.subjects: .*subjects.csv does not exist"),
    ],
)
def test_ckplus_without_a_part(copied, missing, message):
    (copied / "ckplus" / missing).rename(copied / "elsewhere")
    with pytest.raises(StudyError, match=message):
        datasets.manifest(ckplus_settings(), units(), copied / "ckplus")


def test_changed_labels_are_noticed(copied):
    """The files of pictures stay as they are, but what they show is told otherwise."""
    before = datasets.fingerprint(ckplus_settings(), units(), copied / "ckplus")
    assert datasets.fingerprint(ckplus_settings(), units(), copied / "ckplus") == before
    path = facs(copied, "S005", "001")
    path.write_text(path.read_text().replace("1.0000000e+00", "4.0000000e+00", 1))
    changed = datasets.fingerprint(ckplus_settings(), units(), copied / "ckplus")
    (copied / "ckplus/cohn-kanade-images/S005/001/S005_001_00000004.png").unlink()
    fewer = datasets.fingerprint(ckplus_settings(), units(), copied / "ckplus")
    assert len({before, changed, fewer}) == 3


# --------------------------------------------------------------------------------------- landmarks


@pytest.mark.parametrize(
    ("samples", "first", "frames"),
    [("sequences", "S005_001", [0, 1, 2, 3]), ("frames", "S005_001_00000001", [0])],
)
def test_ckplus_landmarks(drawn, tmp_path, samples, first, frames):
    out = tmp_path / "landmarks.parquet"
    assert landmarks(ckplus_settings(samples), drawn / "ckplus", out) == 0
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
def test_damaged_landmarks(copied, tmp_path, capsys, lines, message):
    name = "Landmarks/S006/001/S006_001_00000002_landmarks.txt"
    (copied / "ckplus" / name).write_text("\n".join(lines))
    assert landmarks(ckplus_settings(), copied / "ckplus", tmp_path / "out.parquet") == 1
    said = capsys.readouterr().err
    assert f"{name} " in said
    assert message in said
    assert not (tmp_path / "out.parquet").exists()


def test_data_sets_without_landmarks(copied, tmp_path):
    shutil.rmtree(copied / "ckplus" / "Landmarks")
    for data, name in ((ckplus_settings(), "ckplus"), (actor_settings(), "actor_study")):
        assert landmarks(data, copied / name, tmp_path / "out.parquet") == 0
        assert tables.read(tmp_path / "out.parquet", tables.LANDMARKS).empty
    assert datasets.has_landmarks(ckplus_settings())
    assert datasets.has_landmarks(combined_settings())
    assert not datasets.has_landmarks(actor_settings())


# ------------------------------------------------------------------------------------- Actor Study


def test_actor_study(drawn):
    found, excluded = datasets.manifest(actor_settings(), units(UNITS[:4]), drawn / "actor_study")
    assert excluded.empty
    assert len(found) == 3 * 6
    assert found["sample"][0] == "center/actor01/000000.png"
    assert found["sample"].tolist()[-1] == "center/actor03/low_speed.mp4#frame=5"
    # Sadness raises the inner brows, but the first frame is neutral.
    assert found["label_AU1"].tolist()[:6:5] == [0, 1]
    for row in found.iloc[[0, 1, -1]].itertuples():
        assert Footage(Path(row.path)).grey(8).shape == (1, 8, 8)


def test_actor_study_frames_of_a_video_are_those_of_the_film(drawn):
    found, _ = datasets.manifest(actor_settings(), units(UNITS[:4]), drawn / "actor_study")
    paths = [Path(path) for path in found["path"] if tables.FRAME in path]
    film = Path(str(paths[0]).partition(tables.FRAME)[0])
    whole = list(Footage(film).colour(list(range(6))))
    for number in (0, 2, 3, 5, 1):  # the last one is before the one read just now
        (frame,) = Footage(paths[number]).colour([0])
        assert np.array_equal(frame, whole[number])


def test_every_file_is_looked_at_twice_at_most(drawn, monkeypatch):
    """Whenever a study is planned: it may have a hundred thousand files, far away."""
    looked = Counter()
    stat = Path.stat

    def counted(path, **options):
        looked[path] += 1
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", counted)
    datasets.fingerprint(actor_settings(), units(UNITS[:4]), drawn / "actor_study")
    films = [path for path in looked if path.suffix in (".png", ".mp4")]
    assert len(films) == 2 * 6 + 1
    assert max(looked[path] for path in films) == 2


def test_actor_study_cells(copied):
    folder = copied / "actor_study"
    table = pd.read_csv(folder / "annotations.csv", dtype=str)
    table.loc[0, "AU1"], table.loc[1, "AU1"], table.loc[2, "AU1"] = "2", "", "C"
    table.loc[3, "path"] = "center/actor01/gone.png"
    table.loc[4, ["AU1", "AU2"]] = ""
    table.loc[12, "frame"] = ""
    table.to_csv(folder / "annotations.csv", index=False)
    names = ("AU1", "AU2")
    for least, expected in ((1, 1), (3, 0)):
        found, excluded = datasets.manifest(actor_settings(least), units(names), folder)
        assert found["label_AU1"][0] == expected
        assert np.isnan(found["label_AU1"][1])
    reasons = dict(zip(excluded["sample"], excluded["reason"], strict=True))
    assert list(reasons.values()) == [
        "unknown label: AU1 is none of 0 to 5 or nothing",
        "no such file",
        "no label",
        "no frame: of a video; expected its number from 0 in the column frame",
    ]


def test_actor_study_frames_as_a_spreadsheet_writes_them(copied):
    """With pictures in other rows, whose cells are empty, whole numbers come out as 3.0."""
    folder = copied / "actor_study"
    before, _ = datasets.manifest(actor_settings(), units(UNITS[:4]), folder)
    table = pd.read_csv(folder / "annotations.csv")
    table.loc[:11, "frame"] = np.nan
    table.to_csv(folder / "annotations.csv", index=False)
    assert "low_speed.mp4,5.0," in (folder / "annotations.csv").read_text()
    found, excluded = datasets.manifest(actor_settings(), units(UNITS[:4]), folder)
    assert excluded.empty
    assert found["sample"].tolist() == before["sample"].tolist()


def test_actor_study_video_that_is_gone(copied):
    folder = copied / "actor_study"
    (folder / "center/actor03/low_speed.mp4").unlink()
    found, excluded = datasets.manifest(actor_settings(), units(UNITS[:4]), folder)
    assert len(found) == 2 * 6
    assert set(excluded["reason"]) == {"no such file"}
    assert excluded["sample"].tolist()[-1] == "center/actor03/low_speed.mp4#frame=5"


def test_actor_study_with_two_columns_of_one_unit(copied):
    table = copied / "actor_study" / "annotations.csv"
    table.write_text(table.read_text().replace(",AU2,", ",au01,", 1))
    with pytest.raises(StudyError, match="columns AU1 and au01 are the same unit; remove one"):
        datasets.manifest(actor_settings(), units(UNITS[:1]), copied / "actor_study")


def test_actor_study_twice(copied):
    folder = copied / "actor_study"
    lines = (folder / "annotations.csv").read_text().splitlines(keepends=True)
    (folder / "annotations.csv").write_text("".join([*lines, lines[1]]))
    with pytest.raises(StudyError, match=r"rows 2 and 20 both are sample 'center/actor01/000000"):
        datasets.manifest(actor_settings(), units(UNITS[:4]), folder)


def test_actor_study_without_the_units_asked_for(drawn):
    with pytest.raises(StudyError, match=r"no column of any unit in labels.names"):
        datasets.manifest(actor_settings(), units(("AU14", "AU45")), drawn / "actor_study")
    with pytest.raises(StudyError, match="'smile' is no Action Unit; expected names such as AU12"):
        datasets.manifest(actor_settings(), units(("smile",)), drawn / "actor_study")
    with pytest.raises(StudyError, match="the Actor Study has no emotions; use units"):
        datasets.manifest(actor_settings(), label_settings(), drawn / "actor_study")


@pytest.mark.parametrize("name", ["AU12", "au12", "12", "AU012", "AU_12"])
def test_number_of_a_unit(name):
    assert files.unit(name) == 12
