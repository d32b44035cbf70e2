"""Data sets: from folders and tables to the manifest."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import facebias
from facebias import study, tables
from facebias.data import datasets
from facebias.data.datasets import naming, sheets, stage
from facebias.study import Drawn, StudyError
from media import LONDON, REPOSITORY, data_settings, label_settings, needs_london


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


@pytest.fixture
def pictures(tmp_path):
    """Three people, a neutral and a smiling picture of each, listed in a table."""
    rows = ["sample,subject,path,label"]
    for subject in ("001", "002", "010"):
        for label in ("neutral", "smiling"):
            touch(tmp_path, f"{label}/{subject}.jpg")
            rows.append(f"{subject}-{label},{subject},{label}/{subject}.jpg,{label}")
    return write(
        tmp_path,
        samples="\n".join(rows),
        subjects="subject,gender,age\n001,female,24\n002,male,\n010,female,38\n",
    )


# --------------------------------------------------------------------------------------- manifests


def test_table_of_pictures(pictures):
    data = data_settings(attributes=["gender", "age"])
    manifest, excluded = datasets.manifest(data, label_settings(), pictures)
    assert len(manifest) == 6
    assert excluded.empty
    assert manifest["subject"].tolist() == ["001", "001", "002", "002", "010", "010"]
    assert manifest["path"][0] == f"{pictures.as_posix()}/neutral/001.jpg"
    assert manifest["age"].isna().sum() == 2
    assert manifest["age"][0] == 24
    assert not manifest["publishable"].any()
    columns = [*tables.MANIFEST.columns, "label", "gender", "age"]
    assert manifest.columns.tolist() == columns


def test_layout_gives_the_same_as_the_table(pictures):
    listed, _ = datasets.manifest(data_settings(), label_settings(), pictures)
    data = data_settings(manifest=None, layout="{label}/{subject}.jpg")
    laid_out, excluded = datasets.manifest(data, label_settings(), pictures)
    facts = ["subject", "path", "label", "gender"]
    assert excluded.empty
    left = listed.sort_values("path")[facts].reset_index(drop=True)
    assert left.equals(laid_out[facts])
    assert laid_out["sample"][0] == "neutral/001.jpg"


@needs_london
def test_london_set():
    data = data_settings(
        manifest=None,
        layout="{label}/{subject}.jpg",
        attributes=["gender", "ethnicity", "age"],
        required=["gender", "ethnicity"],
        publishable=True,
    )
    manifest, excluded = datasets.manifest(data, label_settings(), LONDON)
    assert manifest["subject"].nunique() == 102
    assert manifest["label"].value_counts().to_dict() == {"neutral": 102, "smiling": 102}
    assert excluded.empty
    assert manifest["publishable"].all()
    assert manifest.loc[manifest["subject"] == "031", "age"].isna().all()
    data = data_settings(manifest=None, layout=data.layout, attributes=["age"], required=["age"])
    manifest, excluded = datasets.manifest(data, label_settings(), LONDON)
    assert (len(manifest), len(excluded)) == (200, 4)
    assert excluded["reason"][0] == "no age: of subject 031, and data.required asks for it"


def test_publishable_of_the_subjects_goes_before_that_of_the_study(pictures):
    write(pictures, subjects="subject,gender,publishable\n001,f,yes\n002,m,no\n010,f,\n")
    manifest, _ = datasets.manifest(data_settings(publishable=True), label_settings(), pictures)
    assert manifest.groupby("subject")["publishable"].first().to_dict() == {
        "001": True,
        "002": False,
        "010": False,
    }


def test_attributes_in_the_table_of_samples(tmp_path):
    touch(tmp_path, "a.png", "b.png", "c.png")
    write(
        tmp_path,
        samples="subject,path,label,gender,light\n"
        "1,a.png,smiling,female,day\n1,b.png,neutral,,night\n2,c.png,neutral,male,day\n",
    )
    manifest, _ = datasets.manifest(data_settings(subjects=None), label_settings(), tmp_path)
    assert manifest["gender"].tolist() == ["female", "female", "male"]
    assert manifest["sample"].tolist() == ["a.png", "b.png", "c.png"]
    # What varies within a person is no attribute of the person.
    people = datasets.subjects(data_settings(subjects=None), tmp_path)
    assert people.columns.tolist() == ["subject", "gender"]


@pytest.mark.parametrize("layout", [None, "{label}/{subject}.jpg"])
def test_labels_that_a_study_does_not_name_are_no_losses(pictures, layout):
    """A third of the pictures would be; most studies stop at that."""
    data = data_settings(manifest=None if layout else "samples.csv", layout=layout)
    everything, _ = datasets.manifest(data, label_settings(), pictures)
    rows = (pictures / "samples.csv").read_text()
    for label in ("surprised", "Smiling", "smilling"):
        touch(pictures, f"{label}/001.jpg")
        rows += f"\n001-{label},001,{label}/001.jpg,{label}"
    write(pictures, samples=rows)
    manifest, excluded = datasets.manifest(data, label_settings(), pictures)
    assert manifest.equals(everything)
    # What is nearly one of the labels is a mistake, and counts.
    assert [Path(path).parent.name for path in excluded["path"]] == ["Smiling", "smilling"]
    assert excluded["reason"].str.startswith("unknown label: ").all()
    assert "is not in labels.names; did you mean smiling?" in excluded["reason"][1]


@pytest.mark.parametrize("layout", [None, "{label}/{subject}.jpg"])
def test_study_of_labels_that_never_occur_is_told_those_that_do(pictures, layout):
    data = data_settings(manifest=None if layout else "samples.csv", layout=layout)
    with pytest.raises(StudyError, match="'glad'; there is neutral, smiling"):
        datasets.manifest(data, label_settings(names=("neutral", "glad")), pictures)


@pytest.mark.parametrize(
    ("layout", "seen"),
    [("{label}/{subject}.mp4", 2), ("{label}/{subject}.{ext}", 2), ("{label}/{subject}.gif", 2)],
)
def test_animated_pictures_are_films_where_they_are_asked_for(tmp_path, layout, seen):
    for label in ("neutral", "smiling"):
        touch(tmp_path, f"{label}/001.mp4", f"{label}/001.gif")
    write(tmp_path, subjects="subject,gender\n001,female\n")
    data = data_settings(adapter="videos", manifest=None, layout=layout)
    manifest, _ = datasets.manifest(data, label_settings(), tmp_path)
    asked = "gif" if layout.endswith("gif") else "mp4"
    assert manifest["path"].str.endswith(asked).tolist() == [True] * seen
    rows = "subject,path,label\n001,neutral/001.gif,neutral\n001,smiling/001.mp4,smiling\n"
    write(tmp_path, samples=rows)
    data = data_settings(adapter="videos")
    assert len(datasets.manifest(data, label_settings(), tmp_path)[0]) == 2


def test_units_may_be_missing_and_never_become_negative(tmp_path):
    touch(tmp_path, "a.png", "b.png", "c.png", "d.png")
    write(
        tmp_path,
        samples="subject,path,label_AU1,label_AU4\n"
        "1,a.png,1,0\n1,b.png,,1\n2,c.png,,\n2,d.png,2,1\n",
        subjects="subject,gender\n1,female\n2,male\n",
    )
    labels = label_settings("units", ("AU4", "AU1"))
    manifest, excluded = datasets.manifest(data_settings(), labels, tmp_path)
    assert manifest["label_AU4"].tolist() == [0, 1]
    assert manifest["label_AU1"][0] == 1
    assert manifest["label_AU1"].isna().tolist() == [False, True]
    assert manifest.columns.tolist()[4:] == ["label_AU4", "label_AU1", "gender"]
    assert excluded["reason"].tolist() == [
        "no label",
        "unknown label: label_AU1 is '2', expected 1, 0 or nothing",
    ]
    assert excluded.columns.tolist() == [*tables.EXCLUDED.columns, "gender"]


def test_videos_take_videos_and_pictures_take_pictures(pictures):
    touch(pictures, "neutral/001.mp4", "smiling/001.MP4", "neutral/._001.mp4")
    data = data_settings(adapter="videos", manifest=None, layout="{label}/{subject}.mp4")
    manifest, excluded = datasets.manifest(data, label_settings(), pictures)
    assert manifest["sample"].tolist() == ["neutral/001.mp4", "smiling/001.MP4"]
    assert excluded.empty


def test_drawn_films_need_not_exist(tmp_path):
    drawn = Drawn(subjects=6, repetitions=2, seed=1, size=160, frames=24, fps=12, shards=2, bias=())
    data = data_settings(adapter="drawn", manifest=None, subjects=None)
    data = study.build(study.Data, study.plain(data) | {"drawn": study.plain(drawn)})
    labels = label_settings(names=("happiness", "anger"))
    manifest, excluded = datasets.manifest(data, labels, "nowhere/films")
    assert len(manifest) == 6 * 2 * 2
    assert excluded.empty
    assert manifest["path"].str.startswith("nowhere/films/").all()
    assert manifest.columns.tolist() == [*tables.MANIFEST.columns, "label", "gender"]
    assert datasets.subjects(data, None)["subject"].nunique() == 6


def test_stage_writes_both_tables(pictures, tmp_path):
    touch(pictures, "smiling/020.jpg")
    (pictures / "smiling" / "002.jpg").write_bytes(b"")
    settings = study.settings(data=data_settings(), labels=label_settings())
    out, excluded = tmp_path / "out" / "manifest.csv", tmp_path / "out" / "excluded.csv"
    stage.main(
        ["--settings", settings, "--root", str(pictures), "--out", str(out),
         "--excluded", str(excluded)]
    )  # fmt: skip
    assert tables.read(out, tables.MANIFEST)["subject"].tolist()[0] == "001"
    left_out = tables.read(excluded, tables.EXCLUDED)
    assert left_out["sample"].tolist() == ["002-smiling"]
    assert left_out["stage"].tolist() == ["manifest"]
    assert left_out["gender"].tolist() == ["male"]
    assert json.loads(settings)["data"]["adapter"] == "pictures"


def test_fingerprint_tells_when_files_change(pictures):
    data, labels = data_settings(), label_settings()
    first = datasets.fingerprint(data, labels, pictures)
    assert datasets.fingerprint(data, labels, pictures) == first
    (pictures / "smiling" / "002.jpg").write_bytes(b"longer")
    second = datasets.fingerprint(data, labels, pictures)
    (pictures / "smiling" / "002.jpg").unlink()
    third = datasets.fingerprint(data, labels, pictures)
    assert len({first, second, third}) == 3


def test_folders_that_are_links_are_read_and_none_twice(tmp_path):
    for name in ("root/a", "elsewhere/b", "root/.hidden"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "film.mp4").touch()
    (tmp_path / "root/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root/a/back").symlink_to(tmp_path / "root")
    (tmp_path / "root/_again").symlink_to(tmp_path / "root/a")
    (tmp_path / "root/a/.film.mp4").touch()
    fits = re.compile(".*")
    found = naming.named(tmp_path / "root", fits, suffixes=(".mp4",), where="", kind="video")
    assert [path for path, _ in found] == ["a/film.mp4", "linked/b/film.mp4"]


def test_registry_is_light():
    """The Snakefile imports it whenever it plans."""
    heavy = ("torch", "cv2", "av", "sklearn", "facenet_pytorch")
    code = (
        "import sys, importlib; from facebias.data import datasets; "
        "[importlib.import_module(name) for name in datasets.ADAPTERS.values()]; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    workflow = Path(facebias.__file__).parents[1]
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=workflow, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
    assert workflow == REPOSITORY / "workflow"


# ----------------------------------------------------------------------------------------- layouts

JPG = (".jpg", ".jpeg")


@pytest.mark.parametrize(
    ("layout", "path", "expected"),
    [
        ("{label}/{subject}.jpg", "smiling/001.jpg", ("001", "smiling")),
        ("{label}/{subject}.jpg", "smiling/001.JPG", ("001", "smiling")),
        ("{label}/{subject}.jpg", "smiling/001.jpeg", None),
        ("{label}/{subject}.jpg", "deep/smiling/001.jpg", None),
        ("{label}/{subject}.*", "smiling/001.jpeg", ("001", "smiling")),
        ("{label}/{subject}.{ext}", "smiling/001.jpg", ("001", "smiling")),
        ("{label}/{subject}.{ext}", "smiling/001.txt", None),
        ("{subject}/{label}_{take}.jpg", "p7/anger_2.jpg", ("p7", "anger")),
        ("{subject}/{subject}_{label}.jpg", "p7/p7_anger.jpg", ("p7", "anger")),
        ("{subject}/{subject}_{label}.jpg", "p7/p8_anger.jpg", None),
        ("a+b/{subject}.{label}.jpg", "a+b/1.x.jpg", ("1", "x")),
        ("a+b/{subject}.{label}.jpg", "aab/1.x.jpg", None),
    ],
)
def test_layout(layout, path, expected):
    found = naming.pattern(layout, JPG).fullmatch(path)
    assert (found and (found["subject"], found["label"])) == expected


# ------------------------------------------------------------------------------------ CSV by people


def test_sheet_is_text_without_blanks(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes('\ufeffsubject , note\r\n 001 ,\r\nNA,"a, b"\r\n'.encode())
    frame = sheets.read(path, key="data.subjects", needed=("subject",))
    assert frame["subject"].tolist() == ["001", "NA"]
    assert frame["note"].tolist() == [None, "a, b"]


def test_columns_without_a_name_are_left_out(tmp_path):
    """Row numbers as pandas writes them, and what a spreadsheet leaves empty."""
    (tmp_path / "table.csv").write_text(",subject,gender,,\n0,p1,female,,\n1,p2,male\n")
    frame = sheets.read(tmp_path / "table.csv", key="data.subjects")
    assert frame.columns.tolist() == ["subject", "gender"]
    assert frame["gender"].tolist() == ["female", "male"]


def test_attributes_become_numbers_where_all_are(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("age,group\n24,1\nNA,b\n31.5,\n", encoding="utf-8")
    frame = sheets.attributes(sheets.read(path, key="data.subjects"))
    assert frame["age"].tolist()[::2] == [24, 31.5]
    assert frame["age"].isna().tolist() == [False, True, False]
    assert frame["group"].tolist() == ["1", "b", None]


def test_adapter_that_does_not_exist(tmp_path):
    with pytest.raises(StudyError, match=r"data\.adapter: no 'picture'; did you mean pictures"):
        datasets.subjects(dataclasses.replace(data_settings(), adapter="picture"), tmp_path)


def test_nobody_may_be_shown_unless_it_is_said():
    assert study.Source(adapter="pictures").publishable is False
