"""Configurations that cannot be run: each says so, in one line a fault, before a job is planned."""

import re

import pytest
import studies

from facebias.study import StudyError
from facebias.workflow import prepared

PICTURES = {
    "data": {
        "adapter": "pictures",
        "root": "faces",
        "layout": "{label}/{subject}.jpg",
        "subjects": "subjects.csv",
        "attributes": ["gender"],
    },
    "clips": {"crop_size": 32},
    "labels": {"names": ["neutral", "smiling"]},
    "splits.test": {"all": {}},
    "splits.train": {"regular": {}},
}
# What is changed in the small study, and what the message must hold.
BROKEN = {
    "unknown top key": (
        {"architecture": {}},
        "architecture: unknown key; did you mean architectures?",
    ),
    "unknown nested key": (
        {"data.drawn.subject": 4},
        "data.drawn.subject: unknown key; did you mean subjects?",
    ),
    "missing section": ({"labels": ...}, "labels: missing, it is needed"),
    "missing adapter": ({"data.adapter": ...}, "data.adapter: missing, it is needed"),
    "unknown adapter": ({"data.adapter": "video"}, 'found "video"; did you mean videos?'),
    "study with a slash": ({"study": "a/b"}, 'study: found "a/b", expected letters'),
    "text for a number": (
        {"training.epochs": "ten"},
        'training.epochs: found "ten", expected a whole number',
    ),
    "fraction for a whole number": (
        {"training.batch_size": 1.5},
        "training.batch_size: found 1.5, expected a whole number",
    ),
    "negative rate": (
        {"training.learning_rate": -0.1},
        "training.learning_rate: found -0.1, expected more than 0",
    ),
    "momentum of one": ({"training.momentum": 1}, "training.momentum: found 1, expected less than"),
    "probability above one": (
        {"training.augmentation.flip": 1.5},
        "flip: found 1.5, expected at most 1",
    ),
    "override of one network": (
        {"architectures.vgg16.training": {"learningrate": 1}},
        "architectures.vgg16.training.learningrate: unknown key; did you mean learning_rate?",
    ),
    "unknown schedule": (
        {"training.schedule": "onecycle"},
        'found "onecycle"; did you mean one_cycle?',
    ),
    "unknown weights": (
        {"evaluation.weights": "subject"},
        'evaluation.weights: found "subject"; did you mean subjects?',
    ),
    "unknown device": ({"training.device": "gpu"}, "allowed: auto, cpu, cuda"),
    "unknown architecture": (
        {"architectures.vgg61": {}},
        "architectures.vgg61: no such architecture; did you mean vgg16",
    ),
    "unknown option": (
        {"architectures.vgg16.options": {"pools": 1}},
        "architectures.vgg16.options.pools: unknown key; did you mean pool?",
    ),
    "more frames than a clip": (
        {"architectures.vgg16.frames": 9},
        "architectures.vgg16.frames: found 9, but a clip has 2",
    ),
    "no architecture": ({"architectures": {}}, "architectures: found nothing, expected at least 1"),
    "seed twice": ({"seeds": [1, 1]}, "seeds: 1 is repeated; each must be unique"),
    "one class": ({"labels.names": ["happiness"]}, "labels.names: found 1 class"),
    "label twice": (
        {"labels.names": ["a", "b", "a"]},
        "labels.names: a is repeated; each must be unique",
    ),
    "label of the name of all labels": (
        {"labels.names": ["happiness", "overall"]},
        "labels.names: overall is what tables call all labels together; rename it",
    ),
    "confidence beyond the resamples": (
        {"evaluation.confidence": 0.99},
        "evaluation.resamples: found 100, but evaluation.confidence 0.99 needs at least 200",
    ),
    "fused label unknown": (
        {"labels.fuse": {"x": ["happiness", "suprise"]}},
        "labels.fuse.x: no label 'suprise'; did you mean surprise?",
    ),
    "fused twice": (
        {"labels.fuse": {"x": ["happiness", "surprise"], "y": ["surprise", "sadness"]}},
        "labels.fuse.y: surprise is already part of x",
    ),
    "fused units": (
        {"labels.kind": "units", "labels.fuse": {"x": ["happiness", "surprise"]}},
        "labels.fuse: units are not exclusive",
    ),
    "rare classes": (
        {"labels.min_occurrences": 10},
        "labels.min_occurrences: only units are left out",
    ),
    "threshold of classes": ({"labels.threshold": "validation"}, "labels.threshold: classes have"),
    "threshold without validation subjects": (
        {
            "labels.kind": "units",
            "labels.threshold": "validation",
            "splits.validation": {"n_subjects": 0},
            "explanation.target": "predicted",
        },
        "splits.validation: 0 subjects, but labels.threshold is chosen on them",
    ),
    "criterion of units": (
        {"evaluation.primary": {"criterion": "auc_gap"}},
        "evaluation.primary.criterion: auc_gap is for units only",
    ),
    "definition that nobody published": (
        {"evaluation.primary": {"criterion": "balanced_accuracy_gap", "definition": "published"}},
        "evaluation.primary.definition: found published of balanced_accuracy_gap, but",
    ),
    "a declared gap that is always 0": (
        {"evaluation.primary": {"criterion": "demographic_parity", "definition": "published"}},
        "evaluation.primary.definition: found published of demographic_parity, but it is 0 by",
    ),
    "train split drawn from an unknown one": (
        {"splits.train.mixed": {"drawn_from": ["female", "males"]}},
        "splits.train.mixed.drawn_from: no train split 'males'; there are regular, female, mixed",
    ),
    "name of a matched train split": (
        {"splits.match_sizes": True, "splits.train.regular_matched": {}},
        "splits.train.regular_matched: splits.match_sizes makes a train split of this name",
    ),
    "window backwards": (
        {"clips.windows": [{"k": 2, "part": [0.8, 0.2]}]},
        "clips.windows[0].part: found [0.8, 0.2], expected from < to",
    ),
    "window without k": ({"clips.windows": [{}]}, "clips.windows[0].k: missing, it is needed"),
    "margin as wide as the crop": (
        {"clips.margin": 32},
        "clips.margin: found 32, expected less than crop_size (32)",
    ),
    "unknown variant of the clips": (
        {"clips.variants": {"m8": {"margin": 8}}, "architectures.vgg16.clips": "m80"},
        "architectures.vgg16.clips: no variant 'm80'; did you mean m8? allowed: m8",
    ),
    "no variants of the clips": (
        {"architectures.vgg16.clips": "m8"},
        "architectures.vgg16.clips: no variant 'm8'; clips.variants has none",
    ),
    "unknown key of a variant": (
        {"clips.variants": {"m8": {"margins": 8}}},
        "clips.variants.m8.margins: unknown key; did you mean margin?",
    ),
    "margin of a variant as wide as the crop": (
        {"clips.variants": {"m32": {"margin": 32}}},
        "clips.variants.m32.margin: found 32, expected less than crop_size (32)",
    ),
    "shards of a variant": (
        {"clips.variants": {"m8": {"shards": 3}}},
        "clips.variants.m8.shards: found 3, expected that of clips (2)",
    ),
    "fault that variants inherit": (
        {"clips.variants": {"m8": {"margin": 8}}, "clips.min_face": 1},
        "clips.min_face: found 1, expected at least 10",
    ),
    "unknown network": (
        {"architectures.vgg16_m8": {"network": "vgg61"}},
        "architectures.vgg16_m8.network: found 'vgg61'; did you mean vgg16",
    ),
    "more frames than a clip of the variant": (
        {
            "clips.variants": {"k1": {"windows": [{"k": 1}]}},
            "architectures.vgg16": {"clips": "k1", "frames": 2},
        },
        "architectures.vgg16.frames: found 2, but a clip has 1",
    ),
    "train split selects nobody": (
        {"splits.train.diverse": {"where": {"gender": "diverse"}}},
        "splits.train.diverse.where.gender: no subject has 'diverse'; allowed: female, male",
    ),
    "close spelling of a value": (
        {"splits.train.female.where": {"gender": "femal"}},
        "no subject has 'femal'; did you mean female",
    ),
    "unknown attribute in a condition": (
        {"splits.test.male.where": {"gendre": "male"}},
        "splits.test.male.where.gendre: no attribute 'gendre'; did you mean gender?",
    ),
    "condition of the wrong shape": (
        {"splits.test.male.where": {"any": {"gender": "male"}}},
        "expected a list of conditions",
    ),
    "range of a text": (
        {"splits.test.male.where": {"gender": {"min": 1}}},
        "need an attribute of numbers",
    ),
    "train on the test subjects": (
        {
            "splits.holdout": {"subjects": ["P001", "P002"]},
            "splits.train.female": {"subjects": ["P001", "P003"]},
        },
        "splits.train.female.subjects: P001 also among the test subjects",
    ),
    "test on the training subjects": (
        {
            "splits.holdout": {"subjects": ["P001", "P002"]},
            "splits.test.male": {"subjects": ["P002", "P003"]},
        },
        "splits.test.male.subjects: P003 not held out, so models train on them",
    ),
    "test split outside the hold-out": (
        {"splits.holdout": {"where": {"gender": "female"}}, "splits.train": {"r": {}}},
        "splits.test.male.where: {'gender': 'male'} selects nobody: 4 fulfil it, but none is held",
    ),
    "more test subjects than there are": (
        {"splits.holdout.n_subjects": 9},
        "splits.holdout.n_subjects: 9 asked for, but only 8",
    ),
    "hold-out and folds": ({"splits.folds": {"k": 2}}, "both given, expected one of the two"),
    "one fold": (
        {"splits.holdout": ..., "splits.folds": {"k": 1}},
        "splits.folds.k: found 1, expected at least 2",
    ),
    "no training subject left": (
        {"splits.validation.n_subjects": 4},
        "splits.validation: 4 validation subjects leave none",
    ),
    "unknown attribute to compare": (
        {"evaluation.attributes": ["sex"]},
        "evaluation.attributes: no attribute 'sex'",
    ),
    "an attribute crossed with itself": (
        {"evaluation.attributes": ["gender x gender"]},
        "evaluation.attributes: gender_x_gender crosses an attribute with itself; remove it",
    ),
    "a number as groups": (
        {"data.attributes": ["gender", "skin_tone"], "evaluation.attributes": ["skin_tone"]},
        "evaluation.attributes: skin_tone is a number, groups need names",
    ),
    "explained but not trained": (
        {"explanation.architectures": ["vggface"]},
        "explanation.architectures: 'vggface' is not among the architectures",
    ),
    "unknown composite": (
        {"explanation.composite": "epsilonplus"},
        "explanation.composite: found 'epsilonplus'; did you mean epsilon_plus",
    ),
    "unknown composite of one architecture": (
        {"explanation.composite": {"vgg16": "epsilonplus"}},
        "explanation.composite.vgg16: found 'epsilonplus'; did you mean epsilon_plus",
    ),
    "composite of what is not explained": (
        {"explanation.composite": {"vgg": "epsilon_plus"}},
        "explanation.composite.vgg: not explained; did you mean vgg16",
    ),
    "colour by name": ({"figures.colours": ["red", "#000000", "#FFFFFF"]}, "a colour such as"),
    "unknown bias": ({"data.drawn.bias": [{"kind": "weak"}]}, "data.drawn.bias[0].kind"),
    "bias without a label": (
        {
            "data.drawn.bias": [
                {"kind": "weaker", "group": {"gender": "female"}, "factor": 0.5, "labels": ["fear"]}
            ]
        },
        "data.drawn.bias[0].labels",
    ),
    "drawn people with a root": ({"data.root": "faces"}, "data.root: drawn people need none"),
    "pictures without a root": (
        {**PICTURES, "data": {"adapter": "pictures", "layout": "x", "subjects": "s.csv"}},
        "data.root: missing, it is needed",
    ),
    "pictures in a folder that is not there": (PICTURES, "faces"),
    "several frames of a picture": (
        {**PICTURES, "clips": {"windows": [{"k": 2}]}},
        "clips.windows: 2 frames of a picture",
    ),
}


# Through Snakemake too: faults of the schema, of the study, of its subjects and of its files.
PLANNED = (
    "unknown top key",
    "fused label unknown",
    "train split selects nobody",
    "drawn people with a root",
    "pictures in a folder that is not there",
)


def test_there_are_at_least_forty():
    assert len(BROKEN) >= 40


@pytest.mark.parametrize("name", BROKEN)
def test_broken_config_is_one_readable_line(name, tmp_path, monkeypatch):
    changes, message = BROKEN[name]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError) as error:
        prepared.prepare(studies.changed(studies.SMALL, changes))
    lines = [line for line in str(error.value).splitlines() if message in line]
    assert len(lines) == 1, error.value
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", PLANNED)
def test_nothing_is_planned_and_nothing_written(name, tmp_path):
    changes, message = BROKEN[name]
    config = studies.write(studies.changed(studies.SMALL, changes), tmp_path)
    done = studies.snakemake(tmp_path, config, "--dry-run")
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if message in line]
    assert len(lines) == 1, done.stdout
    assert "Traceback" not in done.stdout
    assert not re.search(r"^(rule|localrule) ", done.stdout, re.M)
    assert not (tmp_path / "results").exists()


def test_every_fault_is_said_at_once(tmp_path):
    faults = {"training.epochs": 0, "study": "a b", "clips.crop_size": "big"}
    config = studies.write(studies.changed(studies.SMALL, faults), tmp_path)
    said = studies.snakemake(tmp_path, config, "--dry-run").stdout
    for key in faults:
        assert len([line for line in said.splitlines() if line.strip().startswith(key)]) == 1
    assert "config.yaml cannot be run" in said


def test_yaml_that_cannot_be_read_is_said(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("study: [unclosed\n")
    done = studies.snakemake(tmp_path, path, "--dry-run")
    assert done.returncode != 0
    # Snakemake itself reads the file, before anything of ours.
    assert "Config file is not valid JSON or YAML" in done.stdout
    assert "Traceback" not in done.stdout
