"""What a study makes and what each of its jobs depends on, without Snakemake."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace

import pytest
import studies

from facebias.stages import data, evaluation
from facebias.study import build
from facebias.workflow import prepared
from facebias.workflow.slices import Slices, constant
from facebias.workflow.targets import Targets

VARIANTS = {"wide": {"margin": 8}, "short": {"windows": [{"k": 1, "part": [0.4, 1.0]}]}}
NETWORK = {"network": "vgg16", "width": 0.125, "input_size": 32}
# As published weights fit it.
WHOLE = {"width": 1.0, "input_size": 224, "options": {}}


def targets(changes=None) -> Targets:
    return Targets(prepared.prepare(studies.changed(studies.SMALL, changes or {})))


def of(**wildcards) -> SimpleNamespace:
    return SimpleNamespace(**wildcards)


# Two experiments, each with its own people, test splits and attribute.
EXPERIMENTS = {
    "splits.holdout": ...,
    "splits.holdouts": {
        "one": {"n_subjects": 2, "balance": ["gender"], "attributes": ["gender"]},
        "two": {"n_subjects": 2, "where": {"skin": ["light", "dark"]}, "attributes": ["skin"]},
    },
    "splits.train": {
        "regular": {"holdout": "one"},
        "female": {"where": {"gender": "female"}, "holdout": "one"},
        "rest": {"holdout": "two"},
    },
    "splits.test": {"all": {"holdout": "one"}, "others": {"holdout": "two"}},
    "evaluation.attributes": ["gender", "skin"],
    "evaluation.min_subjects": 2,
}


def test_names_are_those_of_the_configuration():
    found = targets()
    assert found.architectures == found.declared == ["vgg16", "cnn3d"]
    assert found.train_splits == ["regular", "female"]
    assert found.models["fold"] == [0]
    assert found.models["seed"] == [1]
    assert found.shards == ["000", "001"]
    assert found.drawn_shards == ["00", "01"]
    assert found.explained == found.explained_models["architecture"] == ["vgg16"]
    assert not found.is_randomised
    assert found.matched == {}


def test_a_train_split_is_combined_with_what_belongs_to_its_hold_out():
    found = targets(EXPERIMENTS)
    wildcards = {
        "train_split": found.train_splits,
        "test_split": found.test_splits,
        "attribute": found.attributes,
    }
    pairs = [[(name, value) for value in values] for name, values in wildcards.items()]
    combined = [tuple(value for _, value in one) for one in found.own(*pairs)]
    assert combined == [
        ("regular", "all", "gender"),
        ("female", "all", "gender"),
        ("rest", "others", "skin"),
    ]
    # Without a train split all belong together.
    both = found.own(*pairs[1:])
    assert len(both) == 4
    assert found.first_train_splits == ["regular", "rest"]
    assert found.effects == ["gender"]
    assert found.paired("gender") == [["regular", "female"]]
    assert found.paired("skin") == []


def test_networks_on_further_variants_of_the_clips_are_not_declared():
    changes = {
        "clips.variants": VARIANTS,
        "architectures.vgg16_wide": {**NETWORK, "clips": "wide"},
        "architectures.vgg16_short": {**NETWORK, "clips": "short"},
        "explanation.architectures": ["vgg16", "vgg16_short"],
    }
    found = targets(changes)
    assert found.declared == ["vgg16", "cnn3d"]
    assert found.varied == ["gender"]
    assert list(found.clips) == ["", "_wide", "_short"]
    assert found.variants["vgg16_wide"]["margin"] == 8
    # Of one frame there is nothing over time.
    assert found.explained_over_time == ["vgg16"]


OWN = ("regular_all", "female_all", "rest_others")
COMBINED = {"evaluation.attributes": ["gender", "gender x skin"]}


@pytest.mark.parametrize(
    ("changes", "kind", "expected"),
    [
        ({}, "gaps", ["gaps/gender"]),
        (COMBINED, "gaps", ["gaps/gender", "gaps/gender_x_skin"]),
        (COMBINED, "subjects", ["subjects/gender", "subjects/skin"]),
        ({}, "rates", ["rates/accuracy", "rates/tpr", "rates/fpr"]),
        ({}, "curves", ["curves"]),
        ({}, "exclusions", ["exclusions"]),
        ({}, "sensitivity", []),
        ({}, "variance", []),
        ({"seeds": [1, 2]}, "variance", ["variance/gender"]),
        (EXPERIMENTS, "confusion", [f"confusion/{name}" for name in OWN]),
        ({}, "heatmaps", ["heatmaps/lrp/vgg16/regular", "heatmaps/lrp/vgg16/female"]),
        ({}, "relevance_maps", ["relevance_maps/lrp/vgg16/regular"]),
    ],
)  # fmt: skip
def test_figures_of_a_study(changes, kind, expected):
    found = targets(changes)
    figure = found.figures[kind]
    assert [figure.path.format(**values) for values in found.of(figure)] == expected


def test_a_study_has_no_figures_of_what_it_does_not_do():
    without = targets({"explanation.architectures": []}).figures
    heatmaps = {"conserved", "relevance_regions", "relevance_joint", "relevance_strips"}
    assert not {*heatmaps, "randomisation", "occurrences", "published_comparison"} & set(without)
    with_check = targets({"explanation.randomisation": 2}).figures
    assert {*heatmaps, "randomisation"} <= set(with_check)


def test_a_slice_is_read_back_by_its_job():
    slices = Slices(targets())
    asked = json.loads(slices.test(of(test_split="male")))
    settings = build(evaluation.Metrics.Settings, asked)
    assert settings.test.where == {"gender": "male"}
    assert settings.labels == slices.study.labels
    asked = json.loads(slices.split(of(train_split="female", seed="1")))
    assert list(build(data.Split.Settings, asked).splits.train) == ["female"]


def test_slices_of_a_network_name_neither_files_nor_other_networks():
    changes = {
        "clips.variants": VARIANTS,
        "architectures.vgg16": {**WHOLE, "clips": "wide", "weights": {"source": "torchvision"}},
        "labels.fuse": {"low": ["sadness", "surprise"]},
    }
    slices, plain = Slices(targets(changes)), Slices(targets({"architectures.vgg16": WHOLE}))
    vgg16 = of(architecture="vgg16")
    for function in ("network", "explanation"):
        assert getattr(slices, function)(vgg16) == getattr(plain, function)(vgg16)
    assert "torchvision" in slices.conversion(vgg16)
    assert json.loads(slices.clips(of(variant="_wide")))["clips"]["margin"] == 8


def test_architectures_share_weights_features_and_faces_where_these_are_the_same():
    frozen = {
        **WHOLE,
        "weights": {"source": "torchvision"},
        "frozen": "backbone",
        "training": {"augmentation": {"flip": 0, "rotate": 0, "brighten": 0}},
    }
    changes = {
        "clips.variants": VARIANTS,
        "architectures.vgg16": frozen,
        "architectures.again": {**frozen, "network": "vgg16", "head": {"kind": "mean"}},
        "architectures.wide": {**frozen, "network": "vgg16", "clips": "wide"},
        "architectures.fewer": {**frozen, "network": "vgg16", "frames": 1},
        "architectures.resnet50": frozen,
    }
    slices = Slices(targets(changes))
    assert slices.weights_of == {
        **dict.fromkeys(("vgg16", "again", "wide", "fewer"), "vgg16"),
        "resnet50": "resnet50",
    }
    own = {name: name for name in ("vgg16", "wide", "fewer", "resnet50")}
    assert slices.features_of == {**own, "again": "vgg16"}
    # Faces are the same whatever margin is cut around them.
    assert slices.faces_of == {"": "", "_wide": ""}


def test_every_slice_is_the_same_text_for_jobs_that_share_it():
    slices = Slices(targets({"seeds": [1, 2]}))
    cells = itertools.product(slices.targets.architectures, slices.targets.train_splits)
    texts = {slices.network(of(architecture=name, train_split=split)) for name, split in cells}
    assert len(texts) == 2
    assert slices.effects(of(attribute="gender")) == constant(
        evaluation.Effects.Settings(
            labels=slices.study.labels,
            evaluation=slices.study.evaluation.resampling,
            together=(("regular", "female"),),
        )
    )(of())
