"""The record of a finished study: what made it, and how long it took."""

import json
import math
import re

import finished_study as made
import pytest
import studies

from facebias.data.cohort import Model
from facebias.presentation.record import stage, study_record, times
from facebias.study import StudyError, configuration

NAMES = study_record.names(configuration.load(studies.SMALL))
VGG16 = Model("vgg16", "regular", 0, 1)


@pytest.fixture
def record(tmp_path):
    root = made.make(tmp_path)
    stage.main(made.arguments(root))
    return json.loads((root / "provenance/record.json").read_text())


# ----------------------------------------------------------------------------------------- times


def test_times_are_summed_by_stage(record):
    stages = {row["stage"]: row for row in record["time"]["stages"]}
    assert stages["train"] == {
        "stage": "train",
        "jobs": 4,
        "wall_s": 40.0,
        "cpu_s": 32.0,
        "gpu_s": 20.0,
        "memory_mb": 250.5,
    }
    assert {name: row["jobs"] for name, row in stages.items()} == {
        "train": 4,
        "predict": 4,
        "explain": 8,
        "fairness": 4,
        "figures": 2,
        "split": 1,
    }


def test_gpu_time_is_that_of_models_trained_on_a_gpu(record):
    stages = {row["stage"]: row["gpu_s"] for row in record["time"]["stages"]}
    assert stages == {
        "train": 20.0,
        "predict": 20.0,
        "explain": 40.0,
        "fairness": 0.0,
        "figures": 0.0,
        "split": 0.0,
    }
    assert record["time"]["gpu_s"] == 80.0
    assert record["time"]["wall_s"] == 230.0
    assert record["time"]["jobs"] == 23


def test_the_run_spans_from_the_first_start_to_the_last_end(record):
    # The first job took 10 s and ended at START; the last of 23 ended 22 minutes later.
    assert record["start"] == "2026-01-02T03:03:55+00:00"
    assert record["end"] == "2026-01-02T03:26:05+00:00"


def test_jobs_that_the_configuration_no_longer_has_are_not_counted(tmp_path):
    for name in ("vgg16/regular/fold-0/seed-1", "vgg16/regular/fold-0/seed-2", "vgg16/old/fold-0"):
        made.benchmark(tmp_path / f"train/{name}.tsv")
    made.benchmark(tmp_path / "forgotten.tsv")
    found = times.jobs(tmp_path, made.BENCHMARKS, NAMES)
    assert [job.wildcards["seed"] for job in found] == ["1"]


def test_the_last_run_of_a_job_counts(tmp_path):
    path = tmp_path / "split.tsv"
    made.benchmark(path, wall=99)
    made.benchmark(tmp_path / "other.tsv", wall=5)
    path.write_text(path.read_text() + (tmp_path / "other.tsv").read_text().splitlines()[1] + "\n")
    (job,) = times.jobs(tmp_path, made.BENCHMARKS, NAMES)
    assert job.wall_s == 5


@pytest.mark.parametrize("missing", ["NA", "-", ""])
def test_what_was_not_measured_is_missing_and_not_zero(tmp_path, missing):
    made.benchmark(tmp_path / "split.tsv", cpu=missing)
    (job,) = times.jobs(tmp_path, made.BENCHMARKS, NAMES)
    assert math.isnan(job.cpu_s)
    assert times.summary(times.by_stage([job], []))["cpu_s"] == 0
    assert times.summary(times.by_stage([job], []))["wall_s"] == 10


def test_an_explanation_takes_the_gpu_of_its_model(tmp_path):
    made.benchmark(tmp_path / "explain/vgg16/regular/all.tsv")
    made.benchmark(tmp_path / "explain/vgg16/female/all.tsv")
    found = times.jobs(tmp_path, made.BENCHMARKS, NAMES)
    assert times.by_stage(found, [VGG16])["gpu_s"].tolist() == [10.0]


@pytest.mark.parametrize(("architecture", "seconds"), [("vgg16", 10), ("cnn3d", 0)])
def test_a_job_that_names_little_of_its_model_takes_the_gpu_of_any(tmp_path, architecture, seconds):
    made.benchmark(tmp_path / f"randomise/{architecture}.tsv")
    (job,) = times.jobs(tmp_path, {"randomise/{architecture}.tsv": True}, NAMES)
    assert times.by_stage([job], [VGG16])["gpu_s"].tolist() == [seconds]


def test_without_benchmarks_there_is_no_time(tmp_path):
    assert times.jobs(tmp_path, made.BENCHMARKS, NAMES) == []
    assert times.span([]) is None
    assert times.summary(times.by_stage([], [])) == {"jobs": 0, "wall_s": 0, "cpu_s": 0, "gpu_s": 0}


def test_a_spoilt_benchmark_is_named(tmp_path):
    (tmp_path / "split.tsv").write_text("s\th:m:s\n1.0\n")
    with pytest.raises(StudyError, match=r"split\.tsv: not a benchmark file of Snakemake"):
        times.jobs(tmp_path, made.BENCHMARKS, NAMES)


# ---------------------------------------------------------------------------------------- record


def test_the_record_names_what_made_the_results(record):
    assert record["study"] == "small"
    assert record["software"]["versions"]["torch"] == "2.10.0"
    assert len(record["software"]["lock"]) == 64
    assert record["data"] == record["data"] | {
        "adapter": "drawn",
        "names_and_sizes": "0123",
        "subjects": 3,
        "samples": 4,
        "left_out": 1,
    }
    assert set(record["data"]["sha256"]) == {"data/manifest.csv", "data/excluded.csv"}
    assert set(record["results"]["sha256"]) >= {"tables/metrics.csv", "report.html"}
    assert record["config"] == configuration.resolve(studies.SMALL)


def test_every_seed_of_the_configuration_is_listed(record):
    text = json.dumps(configuration.resolve(studies.SMALL))
    assert len(record["seeds"]) == len(re.findall(r'"seeds?":', text))
    assert record["seeds"]["data.drawn.seed"] == 3
    assert record["seeds"]["seeds"] == [1]


def test_every_model_has_its_device_determinism_and_weights(record):
    assert len(record["models"]) == 4
    model = next(one for one in record["models"] if one["train_split"] == "female")
    assert model["architecture"] == "vgg16"
    assert model["device"] == made.GPU
    assert model["precision"] == "fp16"
    assert set(model["float32"].values()) == {"ieee"}
    assert model["determinism"].startswith("deterministic algorithms")
    assert model["samples"] == {"train": 6, "validation": 3}
    where = "vgg16/female/fold-0/seed-1"
    assert set(model["sha256"]) == {
        f"models/{where}/weights.safetensors",
        f"predictions/{where}.parquet",
    }


def test_people_are_counted_and_not_listed(record):
    assert "P001" not in json.dumps(record)


def test_fast_algorithms_are_said(tmp_path):
    root = made.make(tmp_path, **{"training.deterministic": False})
    stage.main(made.arguments(root))
    record = json.loads((root / "provenance/record.json").read_text())
    assert {model["determinism"] for model in record["models"]} == {study_record.DETERMINISM[False]}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("code", ..., "no code; written by an older version: train again"),
        ("seed", 7, "is about architecture vgg16, train_split regular, fold 0, seed 7; expected"),
    ],
)
def test_a_model_that_is_not_what_it_should_be_is_named(tmp_path, key, value, message):
    root = made.make(tmp_path)
    path = root / "models/vgg16/regular/fold-0/seed-1/provenance.json"
    facts = json.loads(path.read_text())
    facts.pop(key) if value is ... else facts.update({key: value})
    path.write_text(json.dumps(facts))
    with pytest.raises(StudyError, match=message) as raised:
        stage.main(made.arguments(root))
    assert str(path) in str(raised.value)
    assert not (root / "provenance/record.json").exists()
