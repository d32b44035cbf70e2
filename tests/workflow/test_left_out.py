"""What a study does not ask for has no jobs, and everything else has as before."""

import pytest
import studies

CHECK = {"randomise", "gather_randomisation", "figure_randomisation"}
HEATMAPS = {
    "explain",
    "gather_explanations",
    "relevance",
    "relevance_gaps",
    "figure_conserved",
    "figure_heatmaps",
    "figure_heatmap_strips",
    "figure_relevance_joint",
    "figure_relevance_maps",
    "figure_relevance_regions",
    "figure_relevance_strips",
}
# What is changed in a small study with a check of its heatmaps, and which rules have no jobs then.
LEFT_OUT = {
    "no heatmaps": ({"explanation.architectures": []}, HEATMAPS | CHECK),
    "no check of heatmaps": ({"explanation.randomisation": 0}, CHECK),
    "no train splits to compare": (
        {"splits.train.female": ...},
        {"cell_effects", "gather_effects"},
    ),
}


def planned(folder, changes):
    config = studies.changed(studies.SMALL, {"explanation.randomisation": 1, **changes})
    return set(studies.jobs(studies.plan(folder, studies.write(config, folder))))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return planned(tmp_path_factory.mktemp("whole"), {})


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_not_asked_for_has_no_jobs(whole, tmp_path, name):
    changes, rules = LEFT_OUT[name]
    found = planned(tmp_path, changes)
    assert whole - found == rules
    assert found <= whole
