"""Every job that runs a stage carries the digests of the code of that stage, and of no other.

Here for all rules by their text; `end_to_end/test_reruns.py` shows on a small study what follows.
"""

from __future__ import annotations

import re

import pytest
import studies

from facebias.stages import STAGES

# What they write does not hang on the code: the configuration itself, and what an address gives.
WITHOUT = {"resolve": "resolve", "fetch_weights": "fetch"}
TEXT = "\n".join(path.read_text() for path in sorted(studies.ROOT.glob("workflow/rules/*.smk")))
_, *PARTS = re.split(r"^ *(?:use rule (\w+) as|rule) (\w+)", TEXT, flags=re.M)
PARENTS = dict(zip(PARTS[1::3], PARTS[::3], strict=True))
RULES = dict(zip(PARTS[1::3], PARTS[2::3], strict=True))


def command(name: str) -> tuple[str, str] | None:
    """Return the stage that a rule runs and the word after it; a rule can inherit its command."""
    if "shell:" not in RULES[name]:
        return command(PARENTS[name])
    found = re.search(r"python -m facebias (\w+)(?: (\w+))?", RULES[name])
    return found and found.groups(default="")


def digested(name: str) -> tuple[str, str] | None:
    """Return which function takes the digests of a rule, and of what."""
    found = re.search(r"^ +code=(\w*sources)(?:\(\"(\w+)\"[,)])?", RULES[name], re.M)
    return found and found.groups(default="")


@pytest.mark.parametrize("name", RULES)
def test_a_rule_carries_the_code_of_the_stage_that_it_runs(name):
    run, code = command(name), digested(name)
    if name in WITHOUT:
        assert (run[0], code) == (WITHOUT[name], None)
    elif run is None:  # the report: Snakemake puts together what is there
        assert (name, code) == ("report", None)
    elif run[0] == "figure":
        # Figures of papers by their numbers: drawn by whatever the configuration names.
        assert code == (("figure_sources", run[1]) if run[1] else ("numbered_sources", ""))
    else:
        assert code[0] in ("sources", "network_sources")
        assert code[1] == run[0]


def test_every_stage_is_run_by_a_rule_or_by_hand():
    by_hand = {"plan", "figures", "evaluate", "power", "calibrate"}
    run = {found[0] for found in map(command, RULES) if found}
    assert run | by_hand == set(STAGES)
    assert not run & by_hand
