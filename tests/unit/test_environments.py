import re
from pathlib import Path

import pytest

import environments

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", environments.ENVIRONMENTS)
def test_conda_file_equals_the_lock(name):
    assert (environments.ENVS / f"{name}.yaml").read_text() == environments.text(name)


def test_there_is_no_other_conda_file():
    files = {path.stem for path in environments.ENVS.glob("*.yaml")}
    assert files == set(environments.ENVIRONMENTS)


def test_lock_holds_every_requirement_with_hashes():
    wanted = re.findall(
        r"^([a-z][\w-]*)(?:==([\w.]+))?", (environments.ENVS / "requirements.in").read_text(), re.M
    )
    locked = environments.locked()
    assert len(wanted) > 20
    for name, version in wanted:
        assert name in locked
        assert not version or locked[name] == version
    text = (environments.ENVS / "lock.txt").read_text()
    pins = re.findall(r"^[a-z0-9][^\n]*\\\n    --hash=sha256:[0-9a-f]{64}", text, re.M)
    assert len(pins) == len(re.findall(r"^[a-z0-9]", text, re.M))
    assert "http" not in text


def test_every_rule_names_an_environment():
    text = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    used = set(re.findall(r'"\.\./\.\./envs/(\w+)\.yaml"', text))
    assert used == set(environments.ENVIRONMENTS)
    blocks = re.split(r"^rule ", text, flags=re.M)[1:]
    assert len(blocks) > 10
    for block in blocks:
        if "shell:" in block:
            for directive in ("conda:", "log:", "benchmark:", "threads:", "resources:", '"""'):
                assert directive in block, f"rule {block.split(':')[0]} lacks {directive}"
