"""Drawing one figure from made-up tables."""

from __future__ import annotations

import located
import study_tables as made
from matplotlib.text import Text

from facebias.presentation.figures import stage, style
from facebias.presentation.figures.request import Request

GENDER = {"attribute": "gender"}


def draw(name, given, *, labels=None, figures=None, **select):
    figures = figures or made.looks(dpi=60)
    request = Request(figures=figures, labels=labels or made.labels(), select=select)
    function, *_ = stage.find(name)
    with style.printing(figures):
        return function(given, request)


def texts(figure):
    return [item.get_text() for item in figure.findobj(Text)]


def heatmap_inputs(**changes):
    explanations, relevance = made.explanations(**changes)
    return {
        "explanations": explanations,
        "relevance": relevance,
        "located": located.relevance(explanations),
        "manifest": made.manifest(),
    }


def strip_inputs(**changes):
    given = heatmap_inputs(**changes)
    del given["located"]
    return given


def unit_inputs(**changes):
    given = heatmap_inputs(**changes)
    return given | {"maps": located.on_one_face(given["explanations"])}
