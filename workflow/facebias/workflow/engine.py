"""The workflow as a Python object, as the words of a command line ask for it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from snakemake import cli
from snakemake.api import SnakemakeApi, WorkflowApi
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    DeploymentSettings,
    ResourceSettings,
)
from snakemake.workflow import Workflow


def opened(api: SnakemakeApi, asked: argparse.Namespace) -> WorkflowApi:
    """Read the Snakefile with the configuration and resources that ``cli.parse_args`` found.

    Raises
    ------
    Exception
        Of Snakemake; ``api.print_exception`` says it in the words of a run.
    """
    return api.workflow(
        resource_settings=ResourceSettings(
            cores=asked.cores or 1,
            resources=asked.resources,
            overwrite_threads=asked.set_threads,
            overwrite_resources=asked.set_resources,
            default_resources=asked.default_resources,
        ),
        config_settings=ConfigSettings(
            config=cli.parse_config(asked.config),
            configfiles=asked.configfile,
            config_args=asked.config,
        ),
        deployment_settings=DeploymentSettings(deployment_method=asked.software_deployment_method),
        snakefile=asked.snakefile,
        workdir=asked.directory,
    )


def planned(api: SnakemakeApi, words: Sequence[str]) -> Workflow:
    """Plan the run of ``snakemake`` with ``words``, dry; return its workflow with the jobs."""
    asked = cli.parse_args(["--dry-run", *words])[1]
    workflow = opened(api, asked)
    dag = workflow.dag(
        DAGSettings(
            targets=asked.targets,
            forceall=asked.forceall,
            forcerun=asked.forcerun,
            until=asked.until,
            omit_from=asked.omit_from,
            # Jobs that were stopped are planned, whether or not a run must be told to redo them.
            force_incomplete=True,
            allowed_rules=asked.allowed_rules,
            rerun_triggers=asked.rerun_triggers,
        )
    )
    dag.execute_workflow(executor="dryrun")
    return workflow._workflow
