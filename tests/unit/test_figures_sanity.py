"""Figures of heatmaps say where those do not depend on what a model has learned."""

from __future__ import annotations

import located
import numpy as np
import pytest
import study_tables as made
from drawing import GENDER, draw, heatmap_inputs, strip_inputs, texts, unit_inputs

from facebias import study, tables
from facebias.presentation.figures import sanity, stage

MODEL = {"architecture": "vgg16", "train_split": "regular", "method": "lrp"}
# Of figures that show heatmaps: what they are drawn from, and what is selected.
SHOWN = {
    "heatmaps": (heatmap_inputs, GENDER),
    "heatmap_strips": (strip_inputs, GENDER),
    "relevance_maps": (located.maps, {**GENDER, **MODEL}),
    "heatmaps_unit": (unit_inputs, {**GENDER, "group": "female", "label": "surprise"}),
}


def randomisation(likeness: float):
    table = made.randomisation()
    last = (table["share"] == 1) & (table["architecture"] == "vgg16")
    assert last.any()
    table.loc[last, "structural_similarity"] = likeness
    return table


def said(name, **more):
    inputs, select = SHOWN[name]
    figure, _ = draw(name, {**inputs(), **more}, **select)
    return " ".join(" ".join(texts(figure)).split())


@pytest.mark.parametrize("name", SHOWN)
def test_heatmaps_that_fail_say_so_where_they_are_shown(name):
    failed = "Sanity check failed: with every layer drawn anew, heatmaps of VGG16 keep a structural"
    assert f"{failed} similarity of 0.77" in said(name, randomisation=randomisation(0.77))
    assert "Sanity check" not in said(name, randomisation=randomisation(0.3))
    assert "Sanity check" not in said(name)


def test_every_figure_of_heatmaps_is_tried_here():
    reading = {name for name in stage.FIGURES if stage.find(name)[2] == sanity.OPTIONAL}
    assert reading == set(SHOWN)


def test_the_check_is_of_one_architecture_and_method_with_every_layer_drawn_anew():
    table = randomisation(0.77)
    assert sanity.warning({"randomisation": table}, "vgg16", "lrp")
    assert not sanity.warning({"randomisation": table}, "cnn3d", "lrp")
    assert not sanity.warning({"randomisation": table}, "vgg16", "occlusion")
    # Early steps, where most layers are as they were, do not count.
    table.loc[table["share"] < 1, "structural_similarity"] = 0.99
    table.loc[table["share"] == 1, "structural_similarity"] = 0.1
    assert not sanity.warning({"randomisation": table}, "vgg16", "lrp")


def test_the_check_is_read_where_it_is_given(tmp_path):
    paths = {}
    for key, contract, table in (
        ("randomisation", tables.RANDOMISATION, randomisation(0.77)),
        ("explanations", tables.EXPLANATIONS, made.explanations()[0]),
    ):
        paths[key] = str(tmp_path / f"{key}.csv")
        tables.write(table, tmp_path / f"{key}.csv", contract)
    inputs = {"explanations": tables.EXPLANATIONS}
    found = stage.read(paths, inputs, sanity.OPTIONAL)
    assert set(found) == {"randomisation", "explanations"}
    assert set(stage.read({"explanations": paths["explanations"]}, inputs, sanity.OPTIONAL)) == {
        "explanations"
    }


def test_rows_are_kept_of_what_is_drawn_and_not_of_the_check(tmp_path):
    """One model of an architecture is checked, of whichever train split."""
    given = {**heatmap_inputs(), "randomisation": randomisation(0.77).assign(train_split="male")}
    contracts = {
        "explanations": tables.EXPLANATIONS,
        "located": tables.RELEVANCE,
        "manifest": tables.MANIFEST,
        "randomisation": tables.RANDOMISATION,
    }
    paths = {name: tmp_path / f"{name}.parquet" for name in contracts}
    for name, contract in contracts.items():
        tables.write(given[name], paths[name], contract)
    paths["relevance"] = tmp_path / "relevance.npz"
    np.savez(paths["relevance"], **given["relevance"])
    settings = study.settings(figures=made.looks(), labels=made.labels())
    stage.main(
        [
            *("heatmaps", "--settings", settings, "--select", "attribute=gender", "--input"),
            *(f"{name}={path}" for name, path in paths.items()),
            *("--keep", "train_split=regular", "--out", str(tmp_path / "out")),
        ]
    )
    assert (tmp_path / "out.png").stat().st_size > 1000
