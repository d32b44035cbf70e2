import copy
import json
import re
from pathlib import Path

import pytest
import studies
import yaml

from facebias import architectures, checks, configuration
from facebias.study import Architecture, ConfigError, Labels, read_settings, settings

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
    ("key", "value", "told"),
    [
        ("splits.match_sizes", "true", True),
        ("training.epochs", "12", True),
        ("training.learning_rate", "0.1", True),
        ("training.epochs", "twelve", False),
        ("training.epochs", "{12", False),
        ("training.epochs", 1.5, False),
    ],
)
def test_what_came_as_text_from_the_command_line_says_what_to_do(key, value, told):
    with pytest.raises(ConfigError, match=f"{key}: found .*, expected") as raised:
        configuration.load(studies.changed(studies.SMALL, {key: value}))
    assert ("; of --config it is text" in str(raised.value)) == told


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
    text = settings(architecture=study.architectures["vgg16"], labels=study.labels)
    assert "\n" not in text
    architecture, labels = read_settings(text, architecture=Architecture, labels=Labels)
    assert architecture == study.architectures["vgg16"]
    assert labels == study.labels


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


def test_the_resolved_file_has_the_keys_as_they_came(tmp_path):
    resolved = {"study": "small", "data": {"root": "films", "adapter": "videos"}, "seeds": [2, 1]}
    out = tmp_path / "config.yaml"
    settings = json.dumps({"study": resolved})
    configuration.main(["--settings", settings, "--out", str(out)])
    assert yaml.safe_load(out.read_text()) == resolved
    assert re.findall(r"\w+(?=:)", out.read_text()) == ["study", "data", "root", "adapter", "seeds"]
