import pandas as pd
import pytest

from facebias import tables
from facebias.core.replacement import replacing
from facebias.data import gathering

ROW = {"sample": "001", "subject": "001", "path": "a.jpg", "publishable": True}


def test_ids_stay_text_and_order_of_columns_is_the_contracts(tmp_path):
    frame = pd.DataFrame([{"gender": "female", **ROW}])
    tables.write(frame, tmp_path / "m.csv", tables.MANIFEST)
    read = tables.read(tmp_path / "m.csv", tables.MANIFEST)
    assert read["subject"].tolist() == ["001"]
    assert list(read.columns) == ["sample", "subject", "path", "publishable", "gender"]
    assert read["publishable"].tolist() == [True]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_missing_numbers_survive(tmp_path, suffix):
    row = dict.fromkeys(tables.METRICS.columns, "x") | {
        "value": float("nan"),
        "ci_low": 0.1,
        "ci_high": 0.2,
        "n_subjects": 3,
        "n_samples": 4,
    }
    path = tmp_path / f"m{suffix}"
    tables.write(pd.DataFrame([row]), path, tables.METRICS)
    read = tables.read(path, tables.METRICS)
    assert read["value"].isna().all()
    assert read["ci_low"].tolist() == [0.1]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame([ROW]).drop(columns="path"), "column path is missing"),
        (pd.DataFrame([ROW, ROW]), "row 3 repeats sample=001"),
        (pd.DataFrame([{**ROW, "publishable": "perhaps"}]), "expected true or false"),
    ],
)
def test_broken_contracts_are_named(tmp_path, frame, message):
    with pytest.raises(tables.TableError, match=message) as caught:
        tables.write(frame, tmp_path / "m.csv", tables.MANIFEST)
    assert "m.csv" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_closed_tables_refuse_further_columns():
    frame = pd.DataFrame([dict.fromkeys(tables.SPLITS.columns, 1) | {"colour": "red"}])
    with pytest.raises(tables.TableError, match="unexpected column colour"):
        tables.check(frame, tables.SPLITS)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old").touch()
    with replacing(folder) as temporary:
        temporary.mkdir()
        (temporary / "new").touch()
    assert [path.name for path in folder.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [folder]


def test_unreadable_csv_is_named(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(b"")
    with pytest.raises(tables.TableError, match=r"m\.csv: not a readable CSV table"):
        tables.read(path, tables.MANIFEST)


def test_gather_keeps_order(tmp_path):
    row = dict.fromkeys(tables.METRICS.columns, "x") | {
        "value": 1.0,
        "ci_low": 0.1,
        "ci_high": 0.2,
        "n_subjects": 3,
        "n_samples": 4,
    }
    for name in "ba":
        frame = pd.DataFrame([{**row, "architecture": name}])
        tables.write(frame, tmp_path / f"{name}.csv", tables.METRICS)
    gathering.main(
        [
            "metrics",
            "--out",
            str(tmp_path / "all.csv"),
            str(tmp_path / "b.csv"),
            str(tmp_path / "a.csv"),
        ]
    )
    read = tables.read(tmp_path / "all.csv", tables.METRICS)
    assert read["architecture"].tolist() == ["b", "a"]


def test_only_an_empty_cell_is_missing(tmp_path):
    frame = pd.DataFrame([{**ROW, "subject": "NA", "gender": None, "label": "None"}])
    tables.write(frame, tmp_path / "m.csv", tables.MANIFEST)
    (row,) = tables.read(tmp_path / "m.csv", tables.MANIFEST).to_dict("records")
    assert row["subject"] == "NA"
    assert row["label"] == "None"
    assert pd.isna(row["gender"])
