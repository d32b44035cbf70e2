"""Figures of heatmaps say where those do not depend on what a model has learned."""

from __future__ import annotations

import located
import pytest
import study_tables as made
from drawing import GENDER, draw, heatmap_inputs, strip_inputs, texts, unit_inputs

from facebias import tables
from facebias.figures import sanity, stage

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
