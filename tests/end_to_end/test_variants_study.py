"""A small study of one network on several variants of its clips, from films to the report."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import studies

from facebias import tables
from facebias.clips.store import open_clips

# One worker runs the study, once for both tests.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("variants_study")]

# `m8` has another margin of the same key frames, `k1` one frame.
CHANGES = {
    "clips.variants": {"m8": {"margin": 8}, "k1": {"windows": [{"k": 1}]}},
    "architectures": {
        "vgg16": studies.SMALL["architectures"]["vgg16"],
        "vgg16_m8": {"network": "vgg16", "clips": "m8"},
        "vgg16_k1": {"network": "vgg16", "clips": "k1"},
    },
    "splits.train": {"regular": {}},
    "splits.test": {"all": {}},
    # Heatmaps of clips of two lengths in one figure.
    "explanation.architectures": ["vgg16", "vgg16_k1"],
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("variants")
    clone = studies.clone(folder / "clone")
    config = studies.write(studies.changed(studies.SMALL, CHANGES), folder)
    done = studies.snakemake(clone, config, "--verbose", root=clone)
    assert done.returncode == 0, done.stdout
    return clone, studies.jobs(done), done.stdout.count("Ready jobs: ")


def planned(clone, folder, **changes):
    config = studies.write(studies.changed(studies.SMALL, {**CHANGES, **changes}), folder)
    return studies.jobs(studies.plan(clone, config, root=clone))


def test_variants_run_to_the_report(study):
    clone, jobs, looks = study
    # Snakemake looks for what to run when a job has ended, which it does the more often the longer
    # a study runs if it is left alone.
    assert looks <= sum(jobs.values()) + 1
    out = clone / "results/small"
    assert (jobs["locate"], jobs["extract"], jobs["train_model"]) == (2, 6, 3)
    own, wider, single = (
        open_clips(out / f"clips{ending}/index.parquet") for ending in ("", "_m8", "_k1")
    )
    both = sorted(set(own.samples) & set(wider.samples))
    assert len(both) > 8
    # The same key frames of the same faces; a margin of 8 of 32 pixels makes squares a third wider.
    frames = [list(store.index.loc[both, "key_frames"].map(list)) for store in (own, wider)]
    assert frames[0] == frames[1]
    sides = [
        np.stack(store.index.loc[both, "boxes"].map(lambda box: box[2] - box[0]))
        for store in (own, wider)
    ]
    assert np.median(sides[1] / sides[0]) == pytest.approx(32 / 24, abs=0.03)
    assert own.read(both[:1]).shape[1] == 2
    assert single.read(single.samples[:1]).shape[1] == 1
    # What was drawn are the values of the tables.
    numbers = pd.read_csv(out / "figures/sensitivity/gender.csv", keep_default_na=False)
    assert numbers["architecture"].unique().tolist() == ["vgg16", "vgg16_m8", "vgg16_k1"]
    assert numbers["clips"].unique().tolist() == ["", "m8", "k1"]
    metrics = tables.read(out / "tables/metrics.csv", tables.METRICS)
    overall = metrics[(metrics["label"] == "overall") & (metrics["metric"] == "accuracy")]
    drawn = numbers[numbers["measure"] == "accuracy"].set_index("architecture")["estimate"]
    for row in overall.itertuples():
        assert float(drawn[row.architecture]) == pytest.approx(row.value)
    # One network was asked about beforehand, its variants are further rows.
    fairness = tables.read(out / "tables/fairness.csv", tables.FAIRNESS)
    primary = fairness[fairness["family"] == "primary"]
    assert primary["architecture"].tolist() == ["vgg16"]
    card = (out / "provenance/model_cards/vgg16_m8.md").read_text()
    assert "variant `m8` of the clips" in card
    assert "`data/excluded_m8.csv` says why" in card
    assert (out / "report.html").stat().st_size > 10000


def test_an_edit_of_one_variant_runs_what_sees_it(study, tmp_path):
    clone, *_ = study
    assert planned(clone, tmp_path) == {}
    edited = {"m8": {"margin": 9}, "k1": {"windows": [{"k": 1}]}}
    jobs = planned(clone, tmp_path, **{"clips.variants": edited})
    assert (jobs["extract"], jobs["index"]) == (2, 1)
    assert (jobs["train_model"], jobs["predict"], jobs["cell_metrics"]) == (1, 1, 1)
    assert jobs["figure_sensitivity"] == 1
    # The others are explained; where faces lie is known.
    assert not {"locate", "explain", "relevance", "relevance_gaps", "confounds"} & set(jobs)
