"""SASE-FE, RAVDESS and CREMA-D: miniatures in their files, and what can be wrong with them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from facebias.clips.decode import Footage
from facebias.data import datasets
from facebias.study import StudyError
from media import data_settings, label_settings
from miniatures import crema_d, ravdess, sase_fe

SIX = ("happiness", "surprise", "sadness", "disgust", "anger", "contempt")
SPOKEN = ("neutral", "happiness", "fear")
ACTED = ("anger", "happiness", "sadness")
PATTERN = "(?P<subject>[^/]+)/(?P<emotion>[^/_]+)_(?P<genuine>[^/_]+)"


def sase_fe_settings(pattern: str = PATTERN, take: str = "all", codes=None, **changes):
    options = {"pattern": pattern, "codes": codes or {}, "take": take}
    defaults = {"adapter": "sase_fe", "manifest": None, "sase_fe": options}
    return data_settings(**(defaults | changes))


def ravdess_settings(modality: str = "video", channels: tuple[str, ...] = ("speech",), **changes):
    options = {"modality": modality, "channels": list(channels)}
    defaults = {"adapter": "ravdess", "manifest": None, "subjects": None, "ravdess": options}
    return data_settings(**(defaults | changes))


CREMA_D = data_settings(
    adapter="crema_d",
    manifest=None,
    subjects=None,
    attributes=["gender", "age", "race", "ethnicity"],
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """The three miniatures, drawn once."""
    folder = tmp_path_factory.mktemp("drawn")
    sase_fe.write(folder / "sase_fe", sase_fe.people(2), neutral=1, acted=2)
    ravdess.write(folder / "ravdess", actors=3)
    crema_d.write(folder / "crema_d")
    return folder


@pytest.fixture
def copied(drawn, tmp_path) -> Path:
    """The miniatures, to be broken."""
    return Path(shutil.copytree(drawn, tmp_path / "copy"))


def manifest(data, folder: Path, names: tuple[str, ...]):
    return datasets.manifest(data, label_settings(names=names), folder)


# ----------------------------------------------------------------------------------------- SASE-FE


def test_sase_fe(drawn):
    found, excluded = manifest(sase_fe_settings(), drawn / "sase_fe", SIX)
    assert len(found) == 2 * 12
    assert excluded.empty
    assert found["subject"].unique().tolist() == ["01", "02"]
    assert found.groupby(["subject", "label", "genuine"]).size().eq(1).all()
    assert found["gender"].tolist() == ["male"] * 12 + ["female"] * 12
    assert len(Footage(Path(found["path"][0])).grey(8)) == 3


def test_sase_fe_genuine_alone(drawn):
    for take, genuine in (("genuine", True), ("fake", False)):
        found, _ = manifest(sase_fe_settings(take=take), drawn / "sase_fe", SIX)
        assert len(found) == 12
        assert found["genuine"].eq(genuine).all()


def test_sase_fe_leaves_emotions_that_nobody_asked_for(drawn):
    found, excluded = manifest(sase_fe_settings(), drawn / "sase_fe", SIX[:2])
    assert set(found["label"]) == {"happiness", "surprise"}
    assert excluded.empty


def test_sase_fe_named_otherwise(drawn, tmp_path):
    """The names of one's own copy are told by a pattern and by codes."""
    (tmp_path / "subjects.csv").write_text("subject,gender\n7,female\n")
    source = drawn / "sase_fe" / "01" / "anger_genuine.mp4"
    for name in ("subject7_ANG-T.mp4", "subject7_ANG-D.MP4", "subject7_HAP-T.mp4"):
        shutil.copy(source, tmp_path / name)
    data = sase_fe_settings(
        r"subject(?P<subject>\d+)_(?P<emotion>[A-Z]+)-(?P<genuine>[TD])",
        codes={"ANG": "anger", "HAP": "happiness", "T": "genuine", "D": "fake"},
    )
    found, _ = manifest(data, tmp_path, ("anger", "happiness"))
    assert found["label"].tolist() == ["anger", "anger", "happiness"]
    assert found["genuine"].tolist() == [False, True, True]


def test_sase_fe_listed_in_a_table(copied):
    folder = copied / "sase_fe"
    (folder / "videos.csv").write_text(
        "subject,path,label,genuine\n"
        "01,01/anger_genuine.mp4,anger,genuine\n"
        "01,01/anger_fake.mp4,anger,fake\n"
        "02,02/happiness_genuine.mp4,happiness,\n"
    )
    found, _ = manifest(sase_fe_settings(manifest="videos.csv"), folder, ("anger", "happiness"))
    assert found["genuine"].tolist()[:2] == [True, False]
    data = sase_fe_settings(manifest="videos.csv", take="genuine")
    found, excluded = manifest(data, folder, ("anger", "happiness"))
    assert found["path"].str.endswith("01/anger_genuine.mp4").tolist() == [True]
    assert excluded["reason"].tolist() == ["not known: whether the expression is genuine"]


def test_sase_fe_table_that_says_neither_genuine_nor_fake(copied):
    folder = copied / "sase_fe"
    rows = "01,01/anger_genuine.mp4,anger,genuine\n01,01/anger_fake.mp4,anger,posed\n"
    (folder / "videos.csv").write_text(f"subject,path,label,genuine\n{rows}")
    found, excluded = manifest(sase_fe_settings(manifest="videos.csv"), folder, ("anger",))
    assert found["genuine"].tolist() == [True]
    assert excluded["reason"].tolist() == [
        "unknown label: 'posed' is neither genuine nor fake; "
        "say in data.sase_fe.codes what it means"
    ]


def test_sase_fe_sets_bad_videos_aside(copied):
    folder = copied / "sase_fe"
    (folder / "01" / "anger_genuine.mp4").write_bytes(b"")
    (folder / "01" / "anger_fake.mp4").rename(folder / "01" / "angry_fake.mp4")
    (folder / "01" / "contempt_fake.mp4").rename(folder / "01" / "contempt_posed.mp4")
    (folder / "02" / "anger_fake.mp4").rename(folder / "loose.mp4")
    (folder / "03").mkdir()
    shutil.copy(folder / "02" / "anger_genuine.mp4", folder / "03" / "anger_genuine.mp4")
    found, excluded = manifest(sase_fe_settings(), folder, SIX)
    assert len(found) == 24 - 4
    reasons = dict(zip(excluded["sample"], excluded["reason"], strict=True))
    assert reasons["01/anger_genuine.mp4"] == "empty file: 0 bytes"
    assert reasons["01/angry_fake.mp4"].startswith("unknown label: 'angry'")
    assert "data.sase_fe.codes" in reasons["01/angry_fake.mp4"]
    assert "'posed' is neither genuine nor fake" in reasons["01/contempt_posed.mp4"]
    assert reasons["loose.mp4"] == f"unknown name: does not fit {PATTERN}"
    assert reasons["03/anger_genuine.mp4"].startswith("unknown subject: 03")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (sase_fe_settings("(?P<subject>"), "data.sase_fe.pattern: '.*' is no regular expression"),
        (sase_fe_settings("(?P<subject>.)(?P<emotion>.)"), "has no group genuine"),
        (sase_fe_settings("x" + PATTERN), "fits none of the 24 videos under .*anger_fake.mp4"),
        (sase_fe_settings(subjects="people.csv"), "data.subjects: .*people.csv does not exist"),
    ],
)
def test_sase_fe_that_does_not_fit(drawn, data, message):
    with pytest.raises(StudyError, match=message):
        manifest(data, drawn / "sase_fe", SIX)


def test_label_that_no_sample_has(drawn):
    with pytest.raises(StudyError, match=r"no sample of the data set is 'fear'; there is anger"):
        manifest(sase_fe_settings(), drawn / "sase_fe", (*SIX, "fear"))


# ----------------------------------------------------------------------------------------- RAVDESS


def test_ravdess(drawn):
    found, excluded = manifest(ravdess_settings(), drawn / "ravdess", SPOKEN)
    assert len(found) == 3 * 3
    assert excluded.empty
    assert found["sample"][0] == "02-01-01-01-02-01-01"
    genders = found.drop_duplicates("subject").set_index("subject")["gender"].to_dict()
    assert genders == {"Actor_01": "male", "Actor_02": "female", "Actor_03": "male"}
    assert found["label"].tolist()[:3] == ["neutral", "happiness", "fear"]
    assert set(found["statement"]) == {"dogs"}
    assert set(found["channel"]) == {"speech"}
    assert len(Footage(Path(found["path"][0])).grey(8)) == 12


def test_ravdess_takes_the_modality_and_channels_asked_for(drawn):
    data = ravdess_settings("audio_video", ("speech", "song"))
    found, _ = manifest(data, drawn / "ravdess", SPOKEN)
    assert len(found) == 3 * 4
    assert found["sample"].str.startswith("01-").all()
    assert found["channel"].eq("song").sum() == 3


def test_ravdess_sets_bad_names_aside(copied):
    folder = copied / "ravdess" / "Actor_01"
    (folder / "02-01-01-01-02-01-01.mp4").rename(folder / "02-01-09-01-02-01-01.mp4")
    found, excluded = manifest(ravdess_settings(), copied / "ravdess", SPOKEN)
    assert len(found) == 8
    assert excluded["reason"].tolist() == [
        "unknown name: expected one such as Actor_12/02-01-06-01-02-01-12.mp4 (modality to actor)"
    ]


def test_ravdess_twice(copied):
    name = "02-01-01-01-02-01-01.mp4"
    shutil.copy(copied / "ravdess" / "Actor_01" / name, copied / "ravdess" / name)
    with pytest.raises(StudyError, match=f"{name} and Actor_01/{name}|Actor_01/{name} and {name}"):
        manifest(ravdess_settings(), copied / "ravdess", SPOKEN)


def test_ravdess_that_is_none(drawn):
    with pytest.raises(StudyError, match=r"naming of RAVDESS.* fits none of the 24 videos"):
        manifest(ravdess_settings(), drawn / "sase_fe", SPOKEN)


# ----------------------------------------------------------------------------------------- CREMA-D


def test_crema_d(drawn):
    found, excluded = manifest(CREMA_D, drawn / "crema_d", ACTED)
    assert len(found) == 4 * 3
    assert excluded.empty
    first = found.iloc[0]
    assert (first["sample"], first["label"]) == ("1001_IEO_ANG_HI", "anger")
    recorded = ["gender", "age", "race", "ethnicity", "sentence", "level"]
    assert first[recorded].tolist() == ["male", 51, "caucasian", "not hispanic", "IEO", "high"]
    # The level of one real video is a single X.
    assert found["level"].tolist()[-1] == "unspecified"


def test_crema_d_films_are_read(drawn):
    found, _ = manifest(CREMA_D, drawn / "crema_d", ACTED)
    footage = Footage(Path(found["path"][0]))
    assert footage.grey(16).shape == (12, 16, 16)
    first, last = footage.colour([0, 11])
    assert first.shape == (112, 112, 3)
    assert not np.array_equal(first, last)


def test_crema_d_sets_bad_videos_aside(copied):
    folder = copied / "crema_d"
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    (folder / "VideoFlash" / "1001_IEO_ANG_HI.flv").write_text(pointer)
    shutil.copy(
        folder / "VideoFlash" / "1002_IEO_ANG_HI.flv", folder / "VideoFlash" / "1002_IEO_ANG_UP.flv"
    )
    table = folder / "VideoDemographics.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    found, excluded = manifest(CREMA_D, folder, ACTED)
    assert len(found) == 12 - 1 - 3
    reasons = dict(zip(excluded["sample"], excluded["reason"], strict=True))
    assert reasons["1001_IEO_ANG_HI"].startswith("not fetched: a pointer of Git LFS")
    assert reasons["1002_IEO_ANG_UP"].startswith("unknown name: expected one such as 1001_DFA_ANG")
    assert reasons["1004_IEO_ANG_X"].startswith("unknown subject: 1004 has no row")


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("VideoDemographics.csv", "VideoDemographics.csv does not exist; expected a CSV table"),
        ("VideoFlash", "has no folder VideoFlash"),
    ],
)
def test_crema_d_without_a_part(copied, missing, message):
    (copied / "crema_d" / missing).rename(copied / "elsewhere")
    with pytest.raises(StudyError, match=message):
        manifest(CREMA_D, copied / "crema_d", ACTED)


@pytest.mark.parametrize("name", ["sase_fe", "ravdess", "crema_d"])
def test_a_name_that_is_no_text_is_told(copied, name):
    """Tables hold text alone."""
    data, labels = {
        "sase_fe": (sase_fe_settings(), SIX),
        "ravdess": (ravdess_settings(), SPOKEN),
        "crema_d": (CREMA_D, ACTED),
    }[name]
    film = next(path for path in (copied / name).rglob("*") if path.suffix in (".mp4", ".flv"))
    film.rename(film.with_name(os.fsdecode(b"h\xe4" + os.fsencode(film.suffix))))
    with pytest.raises(
        StudyError, match=r"data.root: .* holds .*h\\udce4\.\w+, a name that is not"
    ):
        manifest(data, copied / name, labels)


def test_emotions_are_no_units(drawn):
    labels = label_settings("units", ("AU1", "AU2"))
    for data, name in (
        (sase_fe_settings(), "sase_fe"),
        (ravdess_settings(), "ravdess"),
        (CREMA_D, "crema_d"),
    ):
        with pytest.raises(StudyError, match="has one emotion per video and no Action Units"):
            datasets.manifest(data, labels, drawn / name)
