"""What is killed: a small training, the extraction of a few films, a prediction."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import fitting
import pandas as pd
import processes
import pytest
import studies
import synthetic

from facebias import study, tables
from facebias.study import configuration

IDS = ["--architecture", "cnn3d", "--train-split", "regular", "--fold", "0", "--seed", "1"]


@dataclasses.dataclass(frozen=True)
class Stage:
    """A command, the outputs that it leaves where it runs, their digests, and how long it is."""

    arguments: list[str]
    outputs: list[str]
    digests: dict[str, str]
    lines: int


def whole(folder: Path, arguments: list[str], outputs: list[str]) -> Stage:
    """Run a command without interruption."""
    folder.mkdir()
    lines = processes.lines(arguments, folder)
    digests = processes.digests(folder)
    assert {name.split("/")[0] for name in digests} == set(outputs)
    return Stage(arguments, outputs, digests, lines)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    return synthetic.make(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def settings():
    architecture = fitting.small(epochs=5, batch_size=4, dropout=0.2)
    return study.settings(architecture=architecture, labels=synthetic.labels())


@pytest.fixture(scope="session")
def training(made, settings, tmp_path_factory):
    where = ["--out", "model", "--checkpoints", processes.CHECKPOINTS]
    arguments = ["train", "--settings", settings, *IDS, *made.arguments(), *where]
    return whole(tmp_path_factory.mktemp("whole") / "train", arguments, ["model"])


@pytest.fixture(scope="session")
def prediction(made, settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    where = ["--out", str(folder / "model"), "--checkpoints", str(folder / "checkpoints")]
    trained = ["train", "--settings", settings, *IDS, *made.arguments(), *where]
    assert processes.run(trained, folder) == 0, processes.said(folder)
    arguments = ["predict", "--settings", settings, *IDS, *made.arguments()]
    arguments += ["--model", str(folder / "model"), "--out", "scores.parquet"]
    return whole(folder / "predict", arguments, ["scores.parquet"])


@pytest.fixture(scope="session")
def extraction(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    changes = {"clips.shards": 1, "data.drawn.shards": 1, "data.drawn.subjects": 2}
    changes["labels.names"] = ["happiness", "surprise"]
    made = configuration.load(configuration.resolve(studies.changed(studies.SMALL, changes)))
    drawn = study.settings(drawn=made.data.drawn, labels=made.labels.names)
    films = folder / "films"
    arguments = ["draw", "--settings", drawn, "--shard", "0", "--out", str(films)]
    assert processes.run(arguments, folder) == 0, processes.said(folder)
    rows = [(path.stem, path.stem, str(path), True) for path in sorted(films.glob("*.mp4"))]
    manifest = pd.DataFrame(rows, columns=[*tables.MANIFEST.columns])
    tables.write(manifest, folder / "manifest.csv", tables.MANIFEST)
    arguments = ["extract", "--settings", study.settings(clips=made.clips.of(None))]
    arguments += ["--manifest", str(folder / "manifest.csv"), "--shard", "0"]
    outputs = ["shard-000.npy", "shard-000.parquet"]
    return whole(
        folder / "extract", [*arguments, "--out", outputs[0], "--index", outputs[1]], outputs
    )
