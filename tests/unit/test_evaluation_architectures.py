"""The stages ``confounds``, ``variance`` and ``redraws``, from files to files."""

import diagnosed
import pandas as pd
import pytest

import scored
from facebias import tables
from facebias.evaluation import confounds, redraws, variance
from facebias.study import StudyError, settings


@pytest.fixture
def study(tmp_path):
    """A study on disk: two architectures, two seeds, two folds."""
    manifest = diagnosed.people(n=12)
    tables.write(manifest, tmp_path / "manifest.csv", tables.MANIFEST)
    tables.write(diagnosed.excluded(manifest), tmp_path / "excluded.csv", tables.EXCLUDED)
    tables.write(diagnosed.quality(manifest), tmp_path / "quality.parquet", tables.QUALITY)
    roles = diagnosed.splits(manifest, folds=2, n_seeds=2)
    tables.write(roles, tmp_path / "splits.csv", tables.SPLITS)
    for turn, architecture in enumerate(("vgg16", "cnn3d")):
        scores = diagnosed.scores(manifest, n_seeds=2, seed=turn)
        frame = pd.DataFrame({"sample": scores.sample, "subject": scores.subject})
        frame = frame.assign(architecture=architecture, train_split="regular", seed=scores.seed)
        for position, name in enumerate(diagnosed.NAMES):
            frame[f"score_{name}"] = scores.score[:, position]
        tested = roles[roles["role"] == "test"].drop_duplicates(["fold", "subject"])
        frame["fold"] = frame["subject"].map(tested.set_index("subject")["fold"])
        for (fold, seed), rows in frame.groupby(["fold", "seed"]):
            path = tmp_path / f"{architecture}-{fold}-{seed}.parquet"
            tables.write(rows, path, tables.PREDICTIONS)
    return tmp_path


def arguments(study, *predictions):
    given = predictions or [str(path) for path in sorted(study.glob("*-?-?.parquet"))]
    return [
        *("--settings", settings(labels=diagnosed.LABELS, evaluation=scored.EVALUATION.resampling)),
        *("--train-split", "regular", "--attribute", "gender"),
        *("--manifest", str(study / "manifest.csv"), "--predictions", *given),
        *("--out", str(study / "out.csv")),
    ]


def test_confounds_are_written(study):
    own = {"regular": ["gender"], "female": ["gender"]}
    given = settings(
        labels=diagnosed.LABELS,
        evaluation=scored.EVALUATION.comparison,
        attributes=["gender"],
        compared_by=own,
    )
    confounds.main(
        [
            *("--settings", given),
            *("--manifest", str(study / "manifest.csv")),
            *("--excluded", str(study / "excluded.csv")),
            *("--quality", str(study / "quality.parquet")),
            *("--splits", str(study / "splits.csv")),
            *("--out", str(study / "out.csv")),
        ]
    )
    table = tables.read(study / "out.csv", tables.CONFOUNDS)
    assert set(table["train_split"]) == {"regular", "female", "all"}


def test_variance_is_written_for_every_architecture(study):
    variance.main(arguments(study))
    table = tables.read(study / "out.csv", tables.VARIANCE)
    assert list(table["architecture"].unique()) == ["cnn3d", "vgg16"]
    levels = table.groupby("source")["levels"].max()
    assert (levels["subjects"], levels["folds"], levels["seeds"]) == (12, 2, 2)
    assert table.loc[table["source"] == "folds", "variance"].notna().all()
    assert table.loc[table["source"] == "total", "note"].str.contains("two seeds").all()


def test_redraws_are_written_for_every_architecture(study):
    redraws.main(arguments(study))
    table = tables.read(study / "out.csv", tables.REDRAWS)
    assert list(table["architecture"].unique()) == ["cnn3d", "vgg16"]
    assert set(table["n_drawn"]) == {5, 6}


def test_order_of_files_is_nothing(study):
    variance.main(arguments(study))
    once = (study / "out.csv").read_bytes()
    files = sorted(study.glob("cnn3d-*.parquet"))[::-1] + sorted(study.glob("vgg16-*.parquet"))
    variance.main(arguments(study, *map(str, files)))
    assert (study / "out.csv").read_bytes() == once


def test_folds_and_seeds_in_one_file_are_the_same(study):
    variance.main(arguments(study))
    once = (study / "out.csv").read_bytes()
    for name in ("cnn3d", "vgg16"):
        parts = [pd.read_parquet(path) for path in sorted(study.glob(f"{name}-*.parquet"))]
        tables.write(pd.concat(parts), study / f"{name}.parquet", tables.PREDICTIONS)
    together = [str(study / f"{name}.parquet") for name in ("cnn3d", "vgg16")]
    variance.main(arguments(study, *together))
    assert (study / "out.csv").read_bytes() == once


def test_file_of_two_architectures_is_refused(study):
    parts = [pd.read_parquet(path) for path in sorted(study.glob("*-0-1.parquet"))]
    pd.concat(parts).to_parquet(study / "both.parquet")
    with pytest.raises(StudyError, match=r"both\.parquet: predictions of 2 architectures, expe"):
        variance.main(arguments(study, str(study / "both.parquet")))


def test_predictions_of_another_train_split_are_refused(study):
    given = arguments(study)
    given[given.index("regular")] = "female"
    with pytest.raises(StudyError, match="train_split regular found, expected only female"):
        redraws.main(given)
