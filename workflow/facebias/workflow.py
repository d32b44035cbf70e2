"""The workflow as a Python object, as the words of a command line ask for it."""

from __future__ import annotations

import argparse

from snakemake import cli
from snakemake.api import SnakemakeApi, WorkflowApi
from snakemake.settings.types import ConfigSettings, DeploymentSettings, ResourceSettings


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
