# What the other files share: the study, its targets and slices. Nothing here runs a job.
import dataclasses
import gc
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# Not workflow.basedir: as a module, that is the folder of the Snakefile that uses this one.
PACKAGE_ROOT = str(Path(workflow.current_basedir).parent)
sys.path.insert(0, PACKAGE_ROOT)
from facebias.models import architectures
from facebias.data import datasets
from facebias.workflow import failures
from facebias.workflow import lock, prepared, relay
from facebias import stages
from facebias.workflow.slices import Slices, constant, unchanging
from facebias.stages.closure import sources
from facebias.stages.job import command
from facebias.study import StudyError, crossed, settings
from facebias.workflow.targets import Targets

os.environ.update(stages.environment())

# The jobs of a study live to the end; to look through them for garbage took a seventh of planning.
gc.set_threshold(100_000)

if workflow.remote_exec:  # one job, on a node of a cluster
    relay.pass_on()

try:
    PREPARED = prepared.prepare(config)
except StudyError as error:
    where = ", ".join(map(str, workflow.configfiles)) or "--config"
    lines = "\n".join(f"  {line}" for line in str(error).splitlines())
    raise WorkflowError(f"{where} cannot be run:\n{lines}")

STUDY, OUT, FILES = PREPARED.study, PREPARED.out, PREPARED.files
targets = Targets(PREPARED)
slices = Slices(targets)


wildcard_constraints:
    architecture="|".join(targets.architectures),
    train_split="|".join(targets.train_splits),
    test_split="|".join(targets.test_splits),
    attribute="|".join({*targets.attributes, *targets.recorded}),
    method="|".join(targets.methods),
    variant=f"({'|'.join(targets.clips)})",
    fold=r"\d+",
    seed=r"\d+",
    shard=r"\d{3}",


def hold_study():
    """Keep other runs of Snakemake away from the study as long as this one lives."""
    try:
        lock.hold(OUT)
    except (StudyError, OSError) as error:
        raise WorkflowError(str(error))


def schedule_when_jobs_end():
    """On one machine, look for what can run when a job ends, and not in between.

    Snakemake never starts more than 100 jobs a second unless it is told otherwise, and therefore
    looks again each second, for every job that has ended by then: after a thousand jobs that is a
    thousand times a second, as long as any job waits for a core.
    """
    limiter = workflow.scheduler.job_rate_limiter
    if workflow.local_exec and limiter and limiter.max_jobs >= 100 * limiter.timespan:
        workflow.scheduler.job_rate_limiter = None


def network_sources(stage):
    """Return the function that adds the one network module of the job's architecture."""

    def digests(wildcards):
        network = targets.network_of(wildcards.architecture)
        return sources(stage, architectures.ARCHITECTURES[network])

    return digests


def gpus(wildcards):
    """Ask for one GPU, unless the configuration puts the architecture on the CPU."""
    return int(STUDY.architectures[wildcards.architecture].training.device != "cpu")


def environment(stage):
    """Return the file of the environment that a stage runs in, as seen from the rules."""
    return f"../../envs/{stages.STAGES[stage].environment}.yaml"


def needs(stage):
    """Return the memory and time that a job of a stage asks for."""
    declared = stages.STAGES[stage]
    return dict(mem_mb=growing(declared.memory), runtime=growing(declared.minutes))


def growing(amount):
    """Return a resource that grows with every attempt of a job."""

    def grown(wildcards, attempt):
        return amount * attempt

    return grown
