"""Studies with several hold-outs: what is refused, what is planned, and what an edit reruns."""

from __future__ import annotations

import pytest
import studies

from facebias.data.splits import holdouts
from facebias.study import StudyError, configuration
from facebias.workflow import prepared

TWO = {
    "data.drawn.subjects": 16,
    "data.attributes": ["gender", "skin"],
    "evaluation.attributes": ["gender", "skin"],
    "splits.holdout": ...,
    "splits.holdouts": {
        "gender": {"n_subjects": 4, "balance": ["gender"], "attributes": ["gender"]},
        "skin": {"n_subjects": 4, "balance": ["skin"], "attributes": ["skin"]},
    },
    "splits.train": {
        "everybody": {"holdout": "gender"},
        "female": {"holdout": "gender", "where": {"gender": "female"}},
        "light": {"holdout": "skin", "where": {"skin": "light"}},
    },
    "splits.test": {
        "people": {"holdout": "gender"},
        "male": {"holdout": "gender", "where": {"gender": "male"}},
        "dark": {"holdout": "skin", "where": {"skin": "dark"}},
    },
}
# What is changed, and what the message must hold.
BROKEN = {
    "a name that is none": (
        {"splits.train.light.holdout": "skn"},
        "splits.train.light.holdout: no hold-out 'skn'; did you mean skin?",
    ),
    "no name in a train split": (
        {"splits.train.light.holdout": None},
        "splits.train.light.holdout: missing; name one of splits.holdouts: gender, skin",
    ),
    "no name in a test split": (
        {"splits.test.dark.holdout": None},
        "splits.test.dark.holdout: missing; name one of splits.holdouts: gender, skin",
    ),
    "a test split without models": (
        {"splits.train.light.holdout": "gender"},
        "splits.holdouts.skin: no train split names it; nothing is tested on dark; add one or",
    ),
    "models that are not tested": (
        {"splits.test.dark.holdout": "gender"},
        "splits.holdouts.skin: no test split names it; add one or remove it",
    ),
    "a name where there is one hold-out": (
        {"splits.holdouts": ..., "splits.holdout": {"n_subjects": 4}},
        "splits.train.light.holdout: found 'skin', but there is no splits.holdouts",
    ),
    "one hold-out and several": (
        {"splits.holdout": {"n_subjects": 4}},
        "splits.holdout, splits.holdouts: both given, expected one of the two",
    ),
    "folds and several hold-outs": (
        {"splits.folds": {"k": 2}},
        "splits.holdouts, splits.folds: both given, expected one of the two",
    ),
    "no hold-out at all": (
        {"splits.holdouts": ...},
        "splits.holdout, splits.holdouts, splits.folds: none given, expected one of them",
    ),
    "an attribute that is not evaluated": (
        {"splits.holdouts.skin.attributes": ["skn"]},
        "splits.holdouts.skin.attributes: 'skn' is not evaluated; did you mean skin?",
    ),
    "an attribute of no hold-out": (
        {"splits.holdouts.skin.attributes": ["gender"]},
        "evaluation.attributes: no hold-out has skin; add it to one or remove it",
    ),
    "a declared question about nobody": (
        {"evaluation.primary": {"train_split": "light", "attribute": "gender"}},
        "evaluation.primary: models trained on light are compared by skin, not by gender; change",
    ),
    "an unknown key": (
        {"splits.holdouts.skin.n_subject": 4},
        "splits.holdouts.skin.n_subject: unknown key; did you mean n_subjects",
    ),
    "an unknown attribute to balance": (
        {"splits.holdouts.skin.balance": ["skim"]},
        "splits.holdouts.skin.balance: no attribute 'skim'; did you mean skin?",
    ),
    "an unknown value": (
        {"splits.holdouts.skin.where": {"skin": "drk"}},
        "splits.holdouts.skin.where.skin: no subject has 'drk'; did you mean dark?",
    ),
    "subjects of another hold-out": (
        {"splits.train.mixed": {"holdout": "skin", "drawn_from": ["female"]}},
        "splits.train.mixed.drawn_from: female has hold-out gender, mixed has skin",
    ),
    "the size of another hold-out": (
        {"splits.train.light.match_size_to": "female"},
        "splits.train.light.match_size_to: female has hold-out gender, light has skin",
    ),
}


ASKED = {
    "the first of each hold-out": ({}, [("gender", "everybody"), ("skin", "light")]),
    "by one attribute": ({"attribute": "skin"}, [("skin", "light")]),
    "trained on one split": ({"train_split": "female"}, [("gender", "female")]),
    "both": ({"train_split": "light", "attribute": "skin"}, [("skin", "light")]),
}


@pytest.mark.parametrize("name", ASKED)
def test_each_hold_out_asks_a_question_unless_one_is_named(name):
    named, expected = ASKED[name]
    two = studies.changed(studies.changed(studies.SMALL, TWO), {"evaluation.primary": named})
    study = configuration.load(configuration.resolve(two))
    found = holdouts.questions(study)
    assert [(asked.attribute, asked.train_split) for asked in found] == expected
    own = {"gender": ("everybody", "female"), "skin": ("light",)}
    assert all(asked.train_splits == own[asked.attribute] for asked in found)


def test_a_hold_out_compared_by_several_attributes_asks_about_the_first():
    changes = {"splits.holdouts.skin.attributes": ["skin", "gender"]}
    two = studies.changed(studies.changed(studies.SMALL, TWO), changes)
    study = configuration.load(configuration.resolve(two))
    asked = [question.attribute for question in holdouts.questions(study)]
    # In the order of evaluation.attributes.
    assert asked == ["gender", "gender"]


@pytest.mark.parametrize("name", BROKEN)
def test_broken_hold_outs_are_one_readable_line(name, tmp_path, monkeypatch):
    changes, message = BROKEN[name]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError) as error:
        prepared.prepare(studies.changed(studies.changed(studies.SMALL, TWO), changes))
    assert len([line for line in str(error.value).splitlines() if message in line]) == 1


def test_cells_are_those_of_one_hold_out(tmp_path):
    two = studies.changed(studies.SMALL, TWO)
    found = studies.jobs(studies.plan(tmp_path, studies.write(two, tmp_path)))
    networks = len(two["architectures"])
    assert found["train_model"] == found["predict"] == 3 * networks
    # Two train splits on two test splits, and one on one.
    assert found["cell_metrics"] == 5 * networks
    assert found["cell_fairness"] == 3 * networks
    assert found["figure_confusion"] == found["print_metrics"] == 5
    assert found["split_variance"] == found["split_redraws"] == 3
    # Only one hold-out has two train splits to compare.
    assert found["cell_effects"] == networks
    # Of the first train split of each.
    assert found["figure_relevance_maps"] == found["figure_relevance_strips"] == 2
    assert found["figure_heatmap_strips"] == 2


def test_a_hold_out_without_attributes_is_compared_by_all(tmp_path):
    two = studies.changed(
        studies.changed(studies.SMALL, TWO),
        {"splits.holdouts.gender.attributes": None, "splits.holdouts.skin.attributes": None},
    )
    found = studies.jobs(studies.plan(tmp_path, studies.write(two, tmp_path)))
    assert found["cell_fairness"] == 3 * 2 * len(two["architectures"])
    assert found["cell_metrics"] == 5 * len(two["architectures"])


@pytest.mark.slow
def test_an_edit_of_one_hold_out_reruns_nothing_of_another(tmp_path):
    changes = {**TWO, "architectures.vgg16": ..., "explanation.architectures": []}
    two = studies.changed(studies.SMALL, changes)
    config = studies.write(two, tmp_path)
    gender = [f"fairness/cnn3d/{name}/gender.csv" for name in ("everybody", "female")]
    gender += ["effects/cnn3d/gender.csv", "metrics/cnn3d/female/male.csv"]
    skin = ["fairness/cnn3d/light/skin.csv", "metrics/cnn3d/light/dark.csv"]
    targets = [f"results/small/{path}" for path in (*gender, *skin)]
    done = studies.snakemake(tmp_path, config, "--", *targets)
    assert done.returncode == 0, done.stdout[-4000:]
    for changes, expected in (
        ({}, {}),
        (
            {"splits.holdouts.skin.n_subjects": 6},
            {"split": 1, "train_model": 1, "predict": 1, "cell_predictions": 1}
            | {"cell_fairness": 1, "cell_metrics": 1},
        ),
        ({"splits.test.dark.where": {"skin": ["dark"]}}, {"cell_metrics": 1}),
    ):
        edited = studies.write(studies.changed(two, changes), tmp_path)
        assert studies.jobs(studies.plan(tmp_path, edited, "--", *targets)) == expected
