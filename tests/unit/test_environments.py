import ast
import functools
import importlib.metadata
import re
import sys
from pathlib import Path

import pytest
import studies
from packaging.requirements import Requirement

import environments
from facebias.data import datasets
from facebias.models import architectures
from facebias.presentation.figures.stage import FIGURES
from facebias.stages import STAGES, closure
from facebias.stages.job import command

ROOT = Path(__file__).parents[2]
# Modules that a stage imports by their names in a registry.
NETWORKS = tuple(architectures.ARCHITECTURES.values())
NAMED = {
    **dict.fromkeys(("train", "predict", "decide", "features", "convert"), NETWORKS),
    **dict.fromkeys(("explain", "randomise"), NETWORKS),
    **dict.fromkeys(("manifest", "landmarks"), tuple(datasets.ADAPTERS.values())),
    "figure": tuple(figure.module for figure in FIGURES.values()),
}


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


# Those that have a command of their own.
RULES = {name: text for name, text in studies.rules().items() if "shell:" in text}


def test_every_rule_names_an_environment():
    assert {stage.environment for stage in STAGES.values()} == set(environments.ENVIRONMENTS)
    assert len(RULES) > 10
    for name, text in RULES.items():
        for directive in ("conda:", "log:", "benchmark:", "threads:", "resources:", '"""'):
            assert directive in text, f"rule {name} lacks {directive}"


@pytest.mark.parametrize("name", RULES)
def test_every_word_of_a_command_is_quoted(name):
    """A name or path is then one word of the command, whatever it holds."""
    text = RULES[name].partition("shell:")[2]
    text += "".join(map(command, re.findall(r"\bcommand\([\"'](\w+)[\"']\)", text)))
    found = re.findall(r"{((?:input|output|params|wildcards|log)[\w.]*(?::\w+)?)}", text)
    assert found
    assert [each for each in found if not each.endswith(":q")] == []


def stages(environment):
    """Name the stages that run in an environment."""
    run = ((name, stage) for name, stage in STAGES.items() if stage.jobs)
    return {name for name, stage in run if stage.environment == environment}


def brought(environment):
    """Name the distributions that an environment installs: its own and what these require."""
    found, waiting = set(), list(environments.ENVIRONMENTS[environment])
    while waiting:
        name = normal(waiting.pop())
        if name not in found:
            found.add(name)
            wanted = map(Requirement, importlib.metadata.requires(name) or ())
            waiting += [one.name for one in wanted if not one.marker or one.marker.evaluate()]
    return found


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@functools.cache
def needed(file):
    """Name the packages that a file imports, inside functions too; not ours, not Python's own."""
    names = set()
    for node in ast.walk(ast.parse(Path(file).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names} - {"facebias", *sys.stdlib_module_names}


def files(*modules: str) -> list[Path]:
    """List the files of the package that modules import, directly or not."""
    names = set().union(*map(closure.PACKAGE.imported, modules))
    return [closure.PACKAGE.file(name) for name in sorted(names)]


@pytest.mark.parametrize("environment", environments.ENVIRONMENTS)
def test_environment_holds_what_its_stages_import(environment):
    distributions = importlib.metadata.packages_distributions()
    own, run = brought(environment), stages(environment)
    assert run
    missing = {
        f"{name}: {Path(file).name} imports {package}"
        for name in run
        for file in files(STAGES[name].module, *NAMED.get(name, ()))
        for package in needed(file)
        if not own & set(map(normal, distributions[package]))
    }
    assert not missing


def test_the_environment_of_the_report_can_read_the_snakefile():
    """Its job runs Snakemake, and so whatever the rules import."""
    assert 'environment("record")' in RULES["report"]
    assert STAGES["record"].environment == "analysis"
    assert '"snakemake --snakefile' in RULES["report"]
    text = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    named = re.findall(r"^from (facebias[\w.]*) import (\([^)]*\)|.*)", text, re.M)
    modules = {f"{place}.{name}" for place, names in named for name in re.findall(r"\w+", names)}
    modules |= {place for place, _ in named}
    modules = {name for name in modules if closure.PACKAGE.file(name)}
    assert {
        "facebias.workflow.prepared",
        "facebias.workflow.targets",
        "facebias.presentation.figures.catalogue",
    } <= modules
    distributions = importlib.metadata.packages_distributions()
    packages = set().union(*map(needed, files(*modules)))
    own = brought("analysis")
    assert {name for name in packages if not own & set(map(normal, distributions[name]))} == set()
