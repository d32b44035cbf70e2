import hashlib
import json
import subprocess

import pytest

from facebias.presentation.record import checksums, layout
from facebias.study import StudyError

MODEL = "models/{architecture}/{train_split}/fold-{fold}/seed-{seed}"
NAMES = {"architecture": ["vgg16"], "train_split": ["all", "a+b"], "fold": [0], "seed": [1, 11]}


def test_a_pattern_stands_for_every_combination():
    assert layout.expanded(f"{MODEL}/w.npz", NAMES) == [
        "models/vgg16/all/fold-0/seed-1/w.npz",
        "models/vgg16/all/fold-0/seed-11/w.npz",
        "models/vgg16/a+b/fold-0/seed-1/w.npz",
        "models/vgg16/a+b/fold-0/seed-11/w.npz",
    ]
    assert layout.expanded("tables/metrics.csv", NAMES) == ["tables/metrics.csv"]


def test_a_pattern_finds_its_files_and_no_other():
    matcher = layout.matcher(f"{MODEL}.tsv", NAMES)
    found = matcher.fullmatch("models/vgg16/a+b/fold-0/seed-1.tsv")
    assert found["train_split"] == "a+b"
    assert found["seed"] == "1"
    for other in ("all/fold-0/seed-2", "all/fold-1/seed-1", "aab/fold-0/seed-1", "all/seed-1"):
        assert not matcher.fullmatch(f"models/vgg16/{other}.tsv")


def test_a_wildcard_without_names_is_free_within_a_folder():
    matcher = layout.matcher("rates/{metric}.tsv", NAMES)
    assert matcher.fullmatch("rates/tpr.tsv")["metric"] == "tpr"
    assert not matcher.fullmatch("rates/a/tpr.tsv")


def test_a_wildcard_may_stand_for_nothing():
    matcher = layout.matcher("index/clips{variant}.tsv", {"variant": ["", "_m0"]})
    assert matcher.fullmatch("index/clips.tsv")["variant"] == ""
    assert matcher.fullmatch("index/clips_m0.tsv")["variant"] == "_m0"
    assert not matcher.fullmatch("index/clips_m65.tsv")


def test_a_wildcard_that_stands_twice_is_the_same_twice():
    matcher = layout.matcher("{a}/{a}.tsv", {})
    assert matcher.fullmatch("x/x.tsv")
    assert not matcher.fullmatch("x/y.tsv")


@pytest.fixture
def results(tmp_path):
    for path in layout.expanded(f"{MODEL}/weights", NAMES):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(path.encode())
    settings = json.dumps({"files": [f"{MODEL}/weights"], "names": NAMES})
    out = tmp_path / "provenance/vgg16.sha256"
    checksums.main(["--settings", settings, "--root", str(tmp_path), "--out", str(out)])
    return tmp_path, out


def test_checksums_are_those_of_the_files(results):
    _, out = results
    found = checksums.read(out)
    assert list(found) == layout.expanded(f"{MODEL}/weights", NAMES)
    for path, digest in found.items():
        assert digest == hashlib.sha256(path.encode()).hexdigest()


def test_sha256sum_reads_them_and_finds_a_changed_file(results):
    folder, out = results
    command = ["sha256sum", "--check", "--quiet", str(out)]
    assert subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0
    (folder / "models/vgg16/all/fold-0/seed-1/weights").write_bytes(b"other")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == "models/vgg16/all/fold-0/seed-1/weights: FAILED\n"


def test_a_missing_file_leaves_no_checksums(tmp_path):
    settings = json.dumps({"files": ["a.csv", "b.csv"], "names": {}})
    (tmp_path / "a.csv").write_text("a")
    out = tmp_path / "data.sha256"
    with pytest.raises(FileNotFoundError, match=r"b\.csv"):
        checksums.main(["--settings", settings, "--root", str(tmp_path), "--out", str(out)])
    assert not out.exists()


def test_a_spoilt_line_is_named(tmp_path):
    path = tmp_path / "data.sha256"
    path.write_text(f"{'0' * 64}  a.csv\nhello\n")
    with pytest.raises(StudyError, match=r"data\.sha256: line 2 is 'hello'; expected"):
        checksums.read(path)
