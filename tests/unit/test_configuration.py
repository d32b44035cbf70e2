import copy
import json
import typing
from pathlib import Path

import jsonschema
import pytest
import studies
import yaml

import config_reference
from facebias import study
from facebias.data import datasets
from facebias.evaluation import fairness_criteria as criteria
from facebias.explanation import methods
from facebias.models import architectures
from facebias.models.architectures import formats
from facebias.models.training import loop, losses, precision, schedules
from facebias.stages.models import Network
from facebias.study import ConfigError, Labels, build, configuration, faults, settings
from facebias.workflow import checks, resolved

CONFIGS = sorted((studies.ROOT / "config").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_committed_configs_resolve_to_themselves(path):
    config = yaml.safe_load(path.read_text())
    resolved = configuration.resolve(config)
    assert configuration.resolve(resolved) == resolved
    assert configuration.load(resolved) == configuration.load(config)


@pytest.mark.parametrize("name", ["demo.yaml", "null.yaml"])
def test_drawn_configs_can_be_run(name):
    study = configuration.read(studies.ROOT / "config" / name)
    assert len(checks.check(study, root="anywhere")) == study.data.drawn.subjects


def test_null_is_the_demo_without_its_bias():
    demo, null = (
        configuration.resolve(yaml.safe_load((studies.ROOT / "config" / name).read_text()))
        for name in ("demo.yaml", "null.yaml")
    )
    assert demo["data"]["drawn"].pop("bias")
    assert null["data"]["drawn"].pop("bias") == []
    for config in (demo, null):
        del config["study"], config["title"]
    assert demo == null


def test_resolving_leaves_the_given_config_alone():
    given = copy.deepcopy(studies.SMALL)
    configuration.resolve(given)
    assert given == studies.SMALL


@pytest.mark.parametrize(
    ("key", "text", "meant"),
    [
        ("splits.match_sizes", "true", True),
        ("training.epochs", "12", 12),
        ("training.learning_rate", "0.1", 0.1),
        ("training.gradient_clip", "null", None),
        ("training.augmentation", "{flip: 0}", {"flip": 0.0}),
        ("seeds", "[3, 1]", [3, 1]),
        ("clips.windows", "[{k: 2, skip_frames: '3'}]", [{"k": 2, "skip_frames": 3}]),
        ("title", "12", "12"),
    ],
)
def test_text_is_taken_for_what_it_reads_as(key, text, meant):
    """Snakemake's --config knows nothing but text within a section."""
    text, plainly = (studies.changed(studies.SMALL, {key: value}) for value in (text, meant))
    assert configuration.load(text) == configuration.load(plainly)


@pytest.mark.parametrize("value", ["twelve", "{12", 1.5, "1.5", True, [12], float("inf")])
def test_text_of_the_wrong_kind_is_refused(value):
    with pytest.raises(ConfigError, match=r"^training\.epochs: found .*, expected a whole number$"):
        configuration.load(studies.changed(studies.SMALL, {"training.epochs": value}))


def test_choices_of_the_configuration_are_those_of_the_registries():
    """The settings import nothing of ours, so they read what the rooms register as text."""
    training, weights = keys(study.Training), keys(study.Weights)
    assert keys(study.Data)["adapter"] == [*datasets.ADAPTERS]
    assert keys(study.Primary)["criterion"] == [*criteria.OF_UNITS | criteria.OF_CLASSES]
    assert {*keys(study.Primary)["definition"]} == {*criteria.DEFINITIONS}
    assert keys(study.Explanation)["methods"] == [*methods.METHODS]
    assert {*training["schedule"]} == {*schedules.SCHEDULES}
    assert {*training["loss_average"]} == {*losses.AVERAGES}
    assert {*training["precision"]} == {"auto", *precision.FORMATS}
    assert {f"validation_{name}" for name in training["select"]} == {*loop.VALIDATED}
    assert {*weights["format"]} == {*formats.FORMATS}


def keys(section):
    """Return the choices of every key of a section that has some."""
    hints = typing.get_type_hints(section)
    return {name: choices for name, hint in hints.items() if (choices := [*faults.choices(hint)])}


def test_schema_for_editors_takes_what_is_taken_and_refuses_what_is_refused():
    schema = json.loads(config_reference.SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    editor = jsonschema.Draft202012Validator(schema)
    for path in CONFIGS:
        config = yaml.safe_load(path.read_text())
        assert editor.is_valid(config), path
        editor.validate(configuration.resolve(config))
    for key, value in (
        ("training.epochs", 0), ("training.epoch", 1), ("study", "a b"), ("seeds", [1, 1]),
        ("splits.test", {}), ("training.schedule", "slow"), ("figures.colours", ["red"] * 3),
    ):  # fmt: skip
        assert not editor.is_valid(studies.changed(studies.SMALL, {key: value})), key


def test_an_architecture_overrides_the_common_training_deeply():
    config = studies.changed(
        studies.SMALL,
        {
            "training.augmentation": {"degrees": 5},
            "architectures.vgg16.training": {"epochs": 7, "augmentation": {"flip": 0.0}},
        },
    )
    study = configuration.load(config)
    assert study.architectures["vgg16"].training.epochs == 7
    assert study.architectures["cnn3d"].training.epochs == 1
    augmentation = study.architectures["vgg16"].training.augmentation
    assert (augmentation.flip, augmentation.degrees, augmentation.rotate) == (0.0, 5.0, 0.5)


def test_settings_survive_the_command_line():
    study = configuration.load(studies.SMALL)
    asked = Network(architecture=study.architectures["vgg16"], labels=study.labels)
    text = settings(asked)
    assert "\n" not in text
    assert build(Network, json.loads(text)) == asked


def test_order_of_keys_does_not_change_settings():
    turned = dict(reversed(studies.SMALL.items()))
    first, second = configuration.load(studies.SMALL), configuration.load(turned)
    assert settings(splits=first.splits) == settings(splits=second.splits)


@pytest.mark.parametrize(
    ("composite", "of_vgg16", "of_cnn3d"),
    [
        (None, None, None),
        ("epsilon", "epsilon", "epsilon"),
        ({"vgg16": "epsilon"}, "epsilon", None),
    ],
)
def test_a_composite_is_one_for_all_or_by_architecture(composite, of_vgg16, of_cnn3d):
    demo = yaml.safe_load((studies.ROOT / "config/demo.yaml").read_text())
    demo["explanation"]["composite"] = composite
    explanation = configuration.load(configuration.resolve(demo)).explanation
    assert explanation.of("vgg16").composite == of_vgg16
    assert explanation.of("cnn3d").composite == of_cnn3d


def test_evaluated_labels_put_the_fused_ones_last():
    labels = Labels(
        kind="classes", names=("a", "b", "c", "d"), fuse={"x": ("a", "c")},
        subsample_fused=True, seed=1,
    )  # fmt: skip
    assert labels.evaluated == ("b", "d", "x")


def test_root_can_be_laid_over_the_file(tmp_path):
    config = yaml.safe_load((studies.ROOT / "config" / "london.yaml").read_text())
    over = configuration.merge(config, {"data": {"root": str(tmp_path)}})
    assert configuration.load(over).data.root == str(tmp_path)
    assert configuration.load(over).data.layout == config["data"]["layout"]


def test_options_are_read_without_the_network_being_imported():
    for name in architectures.ARCHITECTURES:
        assert architectures.options(name) == architectures.module(name).OPTIONS


def test_config_that_is_no_mapping():
    with pytest.raises(ConfigError, match="expected keys and values"):
        configuration.resolve(["study"])


def test_files_of_the_repository_name_no_machine():
    """Nothing committed holds an absolute path of a machine."""
    suspicious = ("/home/", "/root/", "/Users/", "/work/")
    for path in [*studies.ROOT.glob("config/**/*.*"), *studies.ROOT.glob("workflow/rules/*.smk")]:
        text = Path(path).read_text()
        assert not any(word in text for word in suspicious), path


# One of the two is no order of the alphabet.
@pytest.mark.parametrize("order", [iter, reversed])
def test_the_resolved_file_has_every_key_and_names_in_their_order(tmp_path, order):
    out = tmp_path / "config.yaml"
    networks = dict(order(studies.SMALL["architectures"].items()))
    asked = json.dumps({"study": studies.SMALL | {"architectures": networks}})
    resolved.main(["--settings", asked, "--out", str(out)])
    written = yaml.safe_load(out.read_text())
    assert written == configuration.resolve(studies.SMALL)
    assert [*written["architectures"]] == [*networks]


@study.section
class Before:
    old: int = study.key(1, description="")


@study.section
class After(Before):
    new: int = study.key(2, was=2, description="")


@study.section
class Other(Before):
    new: int = study.key(3, was=2, description="")


@pytest.mark.parametrize(
    ("value", "same"),
    [(After(), True), (After(new=3), False), (Other(), False), (Other(new=2), False)],
)
def test_a_key_that_was_added_is_no_setting_as_long_as_it_changes_nothing(value, same):
    assert (
        settings(a=value, b=[{"c": value}]) == settings(a=Before(), b=[{"c": Before()}])
    ) == same
    assert build(type(value), json.loads(settings(value))) == value
