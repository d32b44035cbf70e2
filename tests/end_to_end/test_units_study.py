"""A small study of Action Units from films to the report: rare units, thresholds, matched sizes."""

import numpy as np
import pandas as pd
import pytest
import studies

from facebias import tables
from facebias.data.datasets.drawn import people, stage
from facebias.study import Drawn

pytestmark = pytest.mark.slow

UNITS = (1, 4, 9, 12)
CONFIG = {
    "study": "units",
    "data": {
        "adapter": "videos",
        "manifest": "samples.csv",
        "attributes": ["gender"],
        "publishable": True,
        "max_excluded": 0.5,
    },
    "labels": {
        "kind": "units",
        "names": [f"AU{unit}" for unit in UNITS],
        "min_occurrences": 8,
        "threshold": "validation",
    },
    "clips": {"windows": [{"k": 2, "part": [0.4, 1.0]}], "crop_size": 32, "shards": 1},
    "training": {"epochs": 1, "batch_size": 6, "device": "cpu", "loss_average": "units"},
    "architectures": {"cnn3d": {"width": 0.25, "input_size": 32, "head": {"kind": "mean"}}},
    "splits": {
        "holdout": {"n_subjects": 6, "balance": ["gender"]},
        "validation": {"n_subjects": 1},
        "match_sizes": True,
        "train": {"regular": {}, "female": {"where": {"gender": "female"}}},
        "test": {"all": {}, "male": {"where": {"gender": "male"}}},
    },
    "evaluation": {
        "attributes": ["gender"],
        "resamples": 100,
        "permutations": 999,
        "min_subjects": 2,
        "min_subjects_per_label": 2,
        "primary": {"criterion": "f1_skew_normalised_gap"},
    },
    "explanation": {"architectures": ["cnn3d"], "target": "AU1"},
    "figures": {"dpi": 60},
}


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Drawn films with the Action Units that they show; AU4 is not annotated in every third person.

    AU9 is shown in disgust alone, and annotated in two people: it occurs too rarely.
    """
    root = tmp_path_factory.mktemp("films") / "set"
    drawn = Drawn(subjects=14, repetitions=1, seed=3, size=160, frames=8, fps=8, shards=1, bias=())
    stage.draw(drawn, ("happiness", "surprise", "anger", "disgust"), shard=0, out=root)
    truth = pd.read_parquet(root / "truth.parquet")
    shown = truth[truth["frame"] >= 4].groupby("sample")[[f"active_{unit}" for unit in UNITS]]
    samples = shown.mean().ge(0.5).astype(float)
    samples = samples.set_axis([f"label_AU{unit}" for unit in UNITS], axis=1).reset_index()
    samples["subject"] = samples["sample"].str.rsplit("-", n=2).str[0]
    persons = people.people(drawn)
    names = persons["subject"].tolist()
    samples.loc[samples["subject"].isin(names[::3]), "label_AU4"] = np.nan
    samples.loc[samples["subject"].isin(names[2:]), "label_AU9"] = np.nan
    samples = samples.merge(persons[["subject", "gender"]], on="subject")
    samples.assign(path=samples["sample"] + ".mp4").to_csv(root / "samples.csv", index=False)
    return root


def test_a_study_of_units_runs_to_its_report(films, tmp_path):
    config = studies.write(studies.changed(CONFIG, {"data.root": str(films)}), tmp_path)
    done = studies.snakemake(tmp_path, config)
    assert done.returncode == 0, done.stdout[-4000:]
    out = tmp_path / "results/units"
    units = tables.read(out / "data/units.csv", tables.UNITS).set_index("unit")
    assert units["kept"].to_dict() == {"AU1": True, "AU4": True, "AU9": False, "AU12": True}
    kept = ["AU1", "AU4", "AU12"]
    trained = ["regular", "female", "regular_matched"]
    for train in trained:
        model = f"cnn3d/{train}/fold-0/seed-1"
        chosen = tables.read(out / f"models/{model}/thresholds.csv", tables.THRESHOLDS)
        assert chosen["unit"].tolist() == kept
        said = tables.read(out / f"decisions/{model}.parquet", tables.PREDICTIONS)
        assert [name for name in said if name.startswith("score_")] == [
            f"score_{unit}" for unit in kept
        ]
    splits = tables.read(out / "data/splits.csv", tables.SPLITS)
    sizes = splits[splits["role"].isin(["train", "validation"])].groupby("train_split").size()
    assert sizes.to_dict() == {"regular": 8, "female": 4, "regular_matched": 4}
    metrics = tables.read(out / "tables/metrics.csv", tables.METRICS)
    assert set(metrics["label"]) == {*kept, "overall"}
    assert {"f1_skew_normalised_macro", "auc_macro", "f1_weighted"} <= set(metrics["metric"])
    fairness = tables.read(out / "tables/fairness.csv", tables.FAIRNESS)
    primary = fairness[fairness["family"] == "primary"]
    assert set(primary["criterion"]) == {"f1_skew_normalised_gap"}
    assert set(primary["train_split"]) == {"regular"}
    for name in ("occurrences", "rates/f1", "rates/auc", "gaps/gender"):
        assert (out / f"figures/{name}.png").stat().st_size > 0
    page = (out / "report/start_page.html").read_text()
    assert "AU9" in page
    assert "At equal size" in page
    assert (out / "report.html").stat().st_size > 0
