import re

import yaml

import config_reference
from facebias.data.datasets.drawn import bias
from facebias.models import architectures


def test_page_and_schema_are_those_of_the_settings():
    text = config_reference.PAGE.read_text()
    assert text == config_reference.page(text)
    assert config_reference.SCHEMA.read_text() == config_reference.schema()


def test_page_lists_every_bias_architecture_and_option():
    text = config_reference.PAGE.read_text()
    for kind, entry in bias.KINDS.items():
        row = re.search(rf"^\| `{kind}` \| (.*?) \|", text, re.M)
        assert row, kind
        assert set(re.findall(r"`(\w+)`", row[1])) == set(entry.keys)
    rows = re.findall(r"^\| (`.*?) \| .*? \| (.*?) ?\|$", text, re.M)
    listed = {
        name: set(re.findall(r"`(\w+)`", options))
        for names, options in rows
        for name in re.findall(r"`(\w+)`", names)
        if name in architectures.ARCHITECTURES
    }
    assert listed == {
        name: set(architectures.options(name)) for name in architectures.ARCHITECTURES
    }


def test_page_lists_every_study():
    text = config_reference.PAGE.read_text()
    files = {path.name for path in config_reference.PAGE.parent.glob("*.yaml")}
    assert set(re.findall(r"^\| `(\w+\.yaml)`", text, re.M)) == files
    for name in files:
        assert yaml.safe_load((config_reference.PAGE.parent / name).read_text())["study"]
