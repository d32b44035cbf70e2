"""The Actor Study: a miniature in its files, and what can be wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from annotated import (
    UNITS,
    actor_settings,
    units,
)

from facebias import tables
from facebias.clips.decode import Footage
from facebias.data import datasets
from facebias.data.datasets import files
from facebias.study import StudyError
from media import label_settings


def test_actor_study(unit_data):
    found, excluded = datasets.manifest(
        actor_settings(), units(UNITS[:4]), unit_data / "actor_study"
    )
    assert excluded.empty
    assert len(found) == 3 * 6
    assert found["sample"][0] == "center/actor01/000000.png"
    assert found["sample"].tolist()[-1] == "center/actor03/low_speed.mp4#frame=5"
    # Sadness raises the inner brows, but the first frame is neutral.
    assert found["label_AU1"].tolist()[:6:5] == [0, 1]
    for row in found.iloc[[0, 1, -1]].itertuples():
        assert Footage(Path(row.path)).grey(8).shape == (1, 8, 8)


def test_actor_study_frames_of_a_video_are_those_of_the_film(unit_data):
    found, _ = datasets.manifest(actor_settings(), units(UNITS[:4]), unit_data / "actor_study")
    paths = [Path(path) for path in found["path"] if tables.FRAME in path]
    film = Path(str(paths[0]).partition(tables.FRAME)[0])
    whole = list(Footage(film).colour(list(range(6))))
    for number in (0, 2, 3, 5, 1):  # the last one is before the one read just now
        (frame,) = Footage(paths[number]).colour([0])
        assert np.array_equal(frame, whole[number])


def test_every_file_is_looked_at_twice_at_most(unit_data, monkeypatch):
    """Whenever a study is planned: it may have a hundred thousand files, far away."""
    looked = Counter()
    stat = Path.stat

    def counted(path, **options):
        looked[path] += 1
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", counted)
    datasets.fingerprint(actor_settings(), units(UNITS[:4]), unit_data / "actor_study")
    films = [path for path in looked if path.suffix in (".png", ".mp4")]
    assert len(films) == 2 * 6 + 1
    assert max(looked[path] for path in films) == 2


def test_actor_study_cells(unit_data_copy):
    folder = unit_data_copy / "actor_study"
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


def test_actor_study_frames_as_a_spreadsheet_writes_them(unit_data_copy):
    """With pictures in other rows, whose cells are empty, whole numbers come out as 3.0."""
    folder = unit_data_copy / "actor_study"
    before, _ = datasets.manifest(actor_settings(), units(UNITS[:4]), folder)
    table = pd.read_csv(folder / "annotations.csv")
    table.loc[:11, "frame"] = np.nan
    table.to_csv(folder / "annotations.csv", index=False)
    assert "low_speed.mp4,5.0," in (folder / "annotations.csv").read_text()
    found, excluded = datasets.manifest(actor_settings(), units(UNITS[:4]), folder)
    assert excluded.empty
    assert found["sample"].tolist() == before["sample"].tolist()


def test_actor_study_video_that_is_gone(unit_data_copy):
    folder = unit_data_copy / "actor_study"
    (folder / "center/actor03/low_speed.mp4").unlink()
    found, excluded = datasets.manifest(actor_settings(), units(UNITS[:4]), folder)
    assert len(found) == 2 * 6
    assert set(excluded["reason"]) == {"no such file"}
    assert excluded["sample"].tolist()[-1] == "center/actor03/low_speed.mp4#frame=5"


def test_actor_study_with_two_columns_of_one_unit(unit_data_copy):
    table = unit_data_copy / "actor_study" / "annotations.csv"
    table.write_text(table.read_text().replace(",AU2,", ",au01,", 1))
    with pytest.raises(StudyError, match="columns AU1 and au01 are the same unit; remove one"):
        datasets.manifest(actor_settings(), units(UNITS[:1]), unit_data_copy / "actor_study")


def test_actor_study_twice(unit_data_copy):
    folder = unit_data_copy / "actor_study"
    lines = (folder / "annotations.csv").read_text().splitlines(keepends=True)
    (folder / "annotations.csv").write_text("".join([*lines, lines[1]]))
    with pytest.raises(StudyError, match=r"rows 2 and 20 both are sample 'center/actor01/000000"):
        datasets.manifest(actor_settings(), units(UNITS[:4]), folder)


def test_actor_study_without_the_units_asked_for(unit_data):
    with pytest.raises(StudyError, match=r"no column of any unit in labels.names"):
        datasets.manifest(actor_settings(), units(("AU14", "AU45")), unit_data / "actor_study")
    with pytest.raises(StudyError, match="'smile' is no Action Unit; expected names such as AU12"):
        datasets.manifest(actor_settings(), units(("smile",)), unit_data / "actor_study")
    with pytest.raises(StudyError, match="the Actor Study has no emotions; use units"):
        datasets.manifest(actor_settings(), label_settings(), unit_data / "actor_study")


@pytest.mark.parametrize("name", ["AU12", "au12", "12", "AU012", "AU_12"])
def test_number_of_a_unit(name):
    assert files.unit(name) == 12
