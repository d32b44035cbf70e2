"""Draws every figure and printed table of a study again, from the tables that are there.

Nothing upstream runs, even where it is out of date: a change of looks needs no network.
"""

from __future__ import annotations

import argparse

from snakemake import cli
from snakemake.api import SnakemakeApi
from snakemake.settings.enums import Quietness
from snakemake.settings.types import DAGSettings, OutputSettings

from facebias.workflow.engine import opened

TARGETS = {"figures", "tables"}
DRAWING = ("figure_", "print_")  # how the rules that draw and print are called


def main(arguments: list[str]) -> None:
    """Draw every figure and printed table again, from the tables that are there."""
    parser = argparse.ArgumentParser(
        prog="facebias figures",
        usage="facebias figures --configfile FILE [any other option of snakemake]",
        description=main.__doc__,
        allow_abbrev=False,
    )
    _, words = parser.parse_known_args(arguments)
    output = OutputSettings(
        quiet={Quietness.RULES, Quietness.HOST}, show_failed_logs=True, stdout=True
    )
    with SnakemakeApi(output) as api:
        try:
            workflow = opened(api, cli.parse_args(words)[1])
            rules = workflow._workflow.rules
            drawing = {rule.name for rule in rules if rule.name.startswith(DRAWING)}
            for rule in rules:
                # An input given as `rules.x.output` asks for rule x, allowed or not; a path does
                # not.
                rule.dependencies.clear()
            dag = workflow.dag(
                DAGSettings(targets=TARGETS, allowed_rules=TARGETS | drawing, forceall=True)
            )
            dag.execute_workflow()
        except Exception as error:
            api.print_exception(error)
            raise SystemExit(1) from None
