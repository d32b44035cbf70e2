"""Every job that runs a stage carries the digests of the code of that stage, and of no other.

Here for all rules by their text; `end_to_end/test_reruns.py` shows on a small study what follows.
"""

from __future__ import annotations

import re

import pytest
import studies

from facebias.stages import STAGES

# What they write does not depend on the code: the configuration itself, and what an address gives.
WITHOUT = {"resolve": "resolve", "fetch_weights": "fetch"}
RULES = studies.rules()
TEXT = "\n".join(path.read_text() for path in studies.ROOT.glob("workflow/rules/*.smk"))
# A rule to the one whose command it inherits.
PARENTS = {name: parent for parent, name in re.findall(r"^ *use rule (\w+) as (\w+)", TEXT, re.M)}


def command(name: str) -> str | None:
    """Return the stage that a rule runs; None: none of ours."""
    if "shell:" not in RULES[name]:
        return command(PARENTS[name])
    found = re.search(r"\bcommand\([\"'](\w+)[\"']\)", RULES[name])
    return found and found[1]


def digested(name: str) -> tuple[str, str] | None:
    """Return which function takes the digests of a rule, and of what."""
    found = re.search(r"^ +code=(\w*sources)(?:\(\"(\w+)\"[,)])?", RULES[name], re.M)
    return found and found.groups(default="")


@pytest.mark.parametrize("name", [name for name in RULES if "shell:" in RULES[name]])
def test_a_rule_takes_all_that_is_declared_of_its_stage(name):
    run = command(name)
    if run is not None:
        assert f'environment("{run}")' in RULES[name]
        assert f'needs("{run}")' in RULES[name]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_carries_the_code_of_the_stage_that_it_runs(name):
    run, code = command(name), digested(name)
    if name in WITHOUT:
        assert (run, code) == (WITHOUT[name], None)
    elif run is None:  # the report: Snakemake puts together what is there
        assert (name, code) == ("report", None)
    elif name == "figure_numbered":
        # Drawn by whatever the configuration names.
        assert (run, code) == ("figure", ("numbered_sources", ""))
    else:
        assert code[0] in ("sources", "network_sources")
        assert code[1] == run
        assert (run == "figure") == (".module)," in RULES[name])


def test_every_stage_is_run_by_a_rule_or_by_hand():
    by_hand = {"plan", "figures", "evaluate", "power", "calibrate"}
    run = set(map(command, RULES)) - {None}
    assert run | by_hand == set(STAGES)
    assert not run & by_hand
