"""What the catalogue says of a kind of figure is what its module, its rule and the report do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import studies

from facebias.presentation.figures import catalogue, stage
from facebias.presentation.figures.catalogue import ANY, FIGURES, Figure
from facebias.stages import closure
from facebias.workflow.targets import Targets

SHOWN = {kind: figure for kind, figure in FIGURES.items() if figure.path is not None}


@pytest.mark.parametrize("kind", FIGURES)
def test_a_figure_reads_what_its_module_says(kind):
    _, inputs, optional = stage.find(kind)
    assert set(FIGURES[kind].reads) == {*inputs, *optional}


@pytest.mark.parametrize("kind", FIGURES)
def test_a_figure_is_drawn_again_for_its_own_module_alone(kind):
    files = closure.sources("figure", FIGURES[kind].module)
    own = {f"facebias/presentation/figures/{other}.py" for other in FIGURES} & set(files)
    assert f"facebias/presentation/figures/{kind}.py" in own
    assert "facebias/presentation/figures/catalogue.py" in files
    bare = closure.sources("figure")
    name = "facebias/presentation/figures/catalogue.py"
    assert files[name] == bare[name]


@pytest.mark.parametrize("kind", SHOWN)
def test_wildcards_have_values_and_the_report_has_words(kind):
    figure = SHOWN[kind]
    in_path = set(re.findall(r"{(\w+)}", figure.path))
    assert in_path == set(figure.of)
    assert set(re.findall(r"{(\w+)}", " ".join(figure.labels.values()))) <= in_path
    for name in (*figure.of.values(), *figure.needs):
        assert hasattr(Targets, name)
    assert re.match(r"\d+\. ", figure.category)
    assert (studies.ROOT / f"workflow/report/{kind}.rst").stat().st_size > 20


def test_no_two_figures_share_a_place():
    shapes = [re.sub(r"{\w+}", "{}", figure.path) for figure in SHOWN.values()]
    assert len(set(shapes)) == len(shapes)
    lines = [(figure.category, *figure.labels.items()) for figure in SHOWN.values()]
    assert len(set(lines)) == len(lines)


def test_a_caption_without_a_figure_is_of_another_page():
    captions = {path.stem for path in Path(studies.ROOT, "workflow/report").glob("*.rst")}
    others = {name for name in captions - set(SHOWN) if not name.startswith("table_")}
    assert others == {"model_card", "numbered", "start_page", "workflow"}


FIGURE = Figure(
    draw="facebias.presentation.figures.new:draw", reads={"fairness": "gaps", ANY: "histories"}
)


def test_inputs_of_a_rule_are_the_results_of_a_study():
    results = {"gaps": "gaps.csv", "histories": ["a.csv", "b.csv"], "metrics": "metrics.csv"}
    assert FIGURE.inputs(results) == {"fairness": "gaps.csv", catalogue.EACH: ["a.csv", "b.csv"]}


def test_words_are_those_that_the_stage_reads():
    words = FIGURE.read({"fairness": "gaps.csv", catalogue.EACH: ["a.csv", "b.csv"]})
    assert words == ["fairness=gaps.csv", "1=a.csv", "2=b.csv"]
    found = {"fairness": "gaps.csv", "1": "a.csv", "2": "b.csv"}
    assert stage.pairs(words, "--input") == found
    chosen = {"attribute": "age = 30", "variant": "", "architecture": ["vgg16", "cnn3d"]}
    assert catalogue.pairs(chosen) == ["attribute=age = 30", "architecture=vgg16,cnn3d"]


def test_what_a_study_lacks_is_left_out_of_the_words():
    figure = Figure(
        draw="facebias.presentation.figures.new:draw", reads={"maps": "maps", "check": "check"}
    )
    assert figure.read({"maps": ["maps.npz"], "check": []}) == ["maps=maps.npz"]
