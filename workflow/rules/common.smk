# Turns the configuration into targets, paths, settings and code inputs. Nothing here runs a job.
import dataclasses
import functools
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# Not workflow.basedir: as a module, that is the folder of the Snakefile that uses this one.
PACKAGE_ROOT = str(Path(workflow.current_basedir).parent)
sys.path.insert(0, PACKAGE_ROOT)
from facebias import architectures, checks, configuration, datasets, provenance, relay, stages
from facebias.study import StudyError, crossed, settings

os.environ.update(stages.environment())

if workflow.remote_exec:  # one job, on a node of a cluster
    relay.pass_on()

try:
    RESOLVED = configuration.resolve(config)
    STUDY = configuration.load(RESOLVED)
    OUT = f"{STUDY.results}/{STUDY.study}"
    DRAWN = STUDY.data.adapter == "drawn"
    ROOT = f"{OUT}/data/drawn" if DRAWN else STUDY.data.root
    checks.check(STUDY, root=ROOT)
    FILES = datasets.fingerprint(STUDY.data, STUDY.labels, ROOT)
except StudyError as error:
    where = ", ".join(map(str, workflow.configfiles)) or "--config"
    lines = "\n".join(f"  {line}" for line in str(error).splitlines())
    raise WorkflowError(f"{where} cannot be run:\n{lines}")

ARCHITECTURES = list(STUDY.architectures)
TRAIN_SPLITS = list(STUDY.splits.train)
TEST_SPLITS = list(STUDY.splits.test)
ATTRIBUTES = list(STUDY.evaluation.attributes)
# Without combinations such as `gender x skin`: what is recorded of a person.
RECORDED = list(dict.fromkeys(part for name in ATTRIBUTES for part in crossed(name)))
FOLDS = list(range(STUDY.splits.n_folds))
SEEDS = list(STUDY.seeds)
METHODS = list(STUDY.explanation.methods)


wildcard_constraints:
    architecture="|".join(ARCHITECTURES),
    train_split="|".join(TRAIN_SPLITS),
    test_split="|".join(TEST_SPLITS),
    attribute="|".join({*ATTRIBUTES, *RECORDED}),
    method="|".join(METHODS),
    fold=r"\d+",
    seed=r"\d+",
    shard=r"\d{3}",


def shards(n):
    """Name n shards."""
    return [f"{shard:03d}" for shard in range(n)]


CLIP_SHARDS = shards(STUDY.clips.shards)
DRAWN_SHARDS = [f"{shard:02d}" for shard in range(STUDY.data.drawn.shards)] if DRAWN else []


@functools.cache
def sources(stage, *more):
    """Give the digest of every package file that a stage runs, by its path.

    For `params`: Snakemake compares them with those of the last run, so an edit reruns what it
    must and a checkout that only touches files reruns nothing. As `input`, thirty files for each
    of 10,000 jobs took half of the time of planning.
    """
    files = provenance.sources("facebias.__main__", stages.STAGES[stage].module, *more)
    return {os.path.relpath(file, PACKAGE_ROOT): provenance.digest(file)[:16] for file in files}


def network_sources(stage):
    """Give the function that adds the one network module of the job's architecture."""

    def digests(wildcards):
        return sources(stage, architectures.ARCHITECTURES[wildcards.architecture])

    return digests


def figure_sources(name):
    """Give the digests of the files behind one figure: the stage and the figure's own module."""
    return sources("figure", f"facebias.figures.{name}")


def predictions_of_cell(wildcards):
    """List the predictions of one architecture and train split over folds and seeds."""
    return expand(
        rules.predict.output,
        architecture=wildcards.architecture,
        train_split=wildcards.train_split,
        fold=FOLDS,
        seed=SEEDS,
    )


def predictions_of_split(wildcards):
    """List the predictions of all architectures on one train split, over folds and seeds."""
    return expand(
        rules.predict.output,
        architecture=ARCHITECTURES,
        train_split=wildcards.train_split,
        fold=FOLDS,
        seed=SEEDS,
    )


def constant(**parts):
    """Give settings that are the same for every job of a rule, as a function of its wildcards.

    As plain text, Snakemake would take a `{label}` inside for a wildcard.
    """
    return unchanging(settings(**parts))


def unchanging(text):
    """Give a function of the wildcards that returns ``text`` for every job."""

    def same(wildcards):
        return text

    return same


# Labels are fused when scores are measured: nothing before depends on how.
UNFUSED = dataclasses.replace(STUDY.labels, fuse={}, subsample_fused=False, seed=0)
# Written once, not once per model.
NETWORK_SETTINGS = {
    name: settings(architecture=architecture, labels=UNFUSED)
    for name, architecture in STUDY.architectures.items()
}


def network_settings(wildcards):
    """Give what training and prediction of one architecture depend on."""
    return NETWORK_SETTINGS[wildcards.architecture]


def split_settings(wildcards):
    """Give what one train split and seed depend on: no test split, no other train split.

    But for the one whose size it takes.
    """
    train, name = {}, wildcards.train_split
    while name and name not in train:
        train[name] = STUDY.splits.train[name]
        name = train[name].match_size_to
    drawn = dataclasses.replace(STUDY.splits, train=train, test={})
    return settings(splits=drawn, seeds=[int(wildcards.seed)])


def test_settings(wildcards):
    """Give what the metrics of one test split depend on."""
    return settings(
        labels=STUDY.labels,
        evaluation=STUDY.evaluation,
        test=STUDY.splits.test[wildcards.test_split],
    )


def explanation_settings(wildcards):
    """Give what the heatmaps of one model depend on."""
    return settings(
        architecture=STUDY.architectures[wildcards.architecture],
        labels=UNFUSED,
        explaining=STUDY.explanation.explaining,
    )


def gpus(wildcards):
    """Ask for one GPU, unless the configuration puts the architecture on the CPU."""
    return int(STUDY.architectures[wildcards.architecture].training.device != "cpu")


def first_fold(path):
    """Give the path of one of the outputs of `explain` for the first fold and seed."""
    return expand(path, fold=FOLDS[0], seed=SEEDS[0], allow_missing=True)


def growing(amount):
    """Give a resource that grows with every attempt of a job."""

    def grown(wildcards, attempt):
        return amount * attempt

    return grown


FILMS = [f"{OUT}/data/drawn/shard-{shard}" for shard in DRAWN_SHARDS] if DRAWN else []
GIVEN_TABLES = [
    str(Path(ROOT, name)) for name in (STUDY.data.manifest, STUDY.data.subjects) if name
]
DRAWN_SETTINGS = constant(drawn=STUDY.data.drawn, labels=STUDY.labels.names)
FIGURE_SETTINGS = constant(figures=STUDY.figures, labels=STUDY.labels)
START_PAGE_SETTINGS = constant(
    study=STUDY.study,
    title=STUDY.title,
    data=STUDY.data,
    labels=STUDY.labels,
    evaluation=STUDY.evaluation,
    seeds=STUDY.seeds,
    folds=len(FOLDS),
    architectures=ARCHITECTURES,
    train_splits=TRAIN_SPLITS,
    test_splits=TEST_SPLITS,
)
CAPTIONS = os.path.relpath(Path(PACKAGE_ROOT, "report"))
