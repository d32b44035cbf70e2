# Turns the configuration into targets, paths, settings and code inputs. Nothing here runs a job.
import dataclasses
import gc
import itertools
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# Not workflow.basedir: as a module, that is the folder of the Snakefile that uses this one.
PACKAGE_ROOT = str(Path(workflow.current_basedir).parent)
sys.path.insert(0, PACKAGE_ROOT)
from facebias import (
    architectures,
    closure,
    datasets,
    failures,
    lock,
    prepared,
    relay,
    splits,
    stages,
)
from facebias.architectures import formats
from facebias.published import numbered
from facebias.splits import holdouts
from facebias.study import StudyError, crossed, settings

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

STUDY = PREPARED.study
OUT, ROOT, FILES = PREPARED.out, PREPARED.root, PREPARED.files
DRAWN = STUDY.data.adapter == "drawn"
QUESTIONS = PREPARED.questions
ARCHITECTURES = list(STUDY.architectures)
TRAIN_SPLITS = list(STUDY.splits.train)
TEST_SPLITS = list(STUDY.splits.test)
# Train split to the one of the size of the smallest, which is its own; empty unless asked for.
MATCHED = splits.matched(PREPARED.declared, TRAIN_SPLITS)
ATTRIBUTES = list(STUDY.evaluation.attributes)
# Without combinations such as `gender x skin`: what is recorded of a person.
RECORDED = list(dict.fromkeys(part for name in ATTRIBUTES for part in crossed(name)))
# Train splits that are tested on the same subjects; and what each is tested on and compared by.
TOGETHER = holdouts.together(STUDY.splits)
TESTED_ON = {name: holdouts.tests(STUDY.splits, name) for name in TRAIN_SPLITS}
COMPARED_BY = {name: holdouts.attributes(STUDY, name) for name in TRAIN_SPLITS}
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


def shards(n):
    """Name n shards."""
    return [f"{shard:03d}" for shard in range(n)]


def belong(train_split, test_split=None, attribute=None, **others):
    """Tell whether a test split and an attribute are those of a train split's hold-out."""
    tested = test_split in (None, *TESTED_ON[train_split])
    return tested and attribute in (None, *COMPARED_BY[train_split])


def own(*values):
    """Combine as `expand` does, but a train split only with what belongs to its hold-out."""
    return [one for one in itertools.product(*values) if belong(**dict(one))]


def paired(attribute):
    """List the train splits to compare by an attribute, those tested on the same subjects together."""
    return [names for names in TOGETHER if len(names) > 1 and attribute in COMPARED_BY[names[0]]]


def first_attribute(wildcards):
    """Return the attribute whose groups are shown of the heatmaps of one train split."""
    return crossed(COMPARED_BY[wildcards.train_split][0])[0]


CLIP_SHARDS = shards(STUDY.clips.shards)
DRAWN_SHARDS = [f"{shard:02d}" for shard in range(STUDY.data.drawn.shards)] if DRAWN else []


def sources(stage, *more):
    """Return the digest of what a stage reaches of every package file, by its path.

    For `params`: Snakemake compares them with those of the last run, so an edit reruns what it
    must and a checkout that only touches files reruns nothing. As `input`, thirty files for each
    of 10,000 jobs took half of the time of planning.
    """
    run = stages.STAGES[stage]
    return closure.digests("facebias.__main__:main", f"{run.module}:{run.function}", *more)


def network_sources(stage):
    """Return the function that adds the one network module of the job's architecture."""

    def digests(wildcards):
        return sources(stage, architectures.ARCHITECTURES[network_of(wildcards.architecture)])

    return digests


def figure_sources(name):
    """Return the digests of the files behind one figure: the stage and the figure's own module."""
    return sources("figure", f"facebias.figures.{name}")


def constant(**parts):
    """Return settings that are the same for every job of a rule, as a function of its wildcards.

    As plain text, Snakemake would take a `{label}` inside for a wildcard.
    """
    return unchanging(settings(**parts))


def unchanging(text):
    """Return a function of the wildcards that returns ``text`` for every job."""

    def same(wildcards):
        return text

    return same


# Labels are fused and thresholds used when scores are measured: nothing before depends on how.
UNFUSED = dataclasses.replace(
    STUDY.labels, fuse={}, subsample_fused=False, seed=0, threshold="fixed"
)
# Weights and clips are inputs: no job but those that make them depends on what they are called.
NETWORKS = {
    name: dataclasses.replace(architecture, weights=None, clips=None)
    for name, architecture in STUDY.architectures.items()
}
# Written once, not once per model.
NETWORK_SETTINGS = {
    name: settings(architecture=architecture, labels=UNFUSED)
    for name, architecture in NETWORKS.items()
}


def network_settings(wildcards):
    """Return what training and prediction of one architecture depend on."""
    return NETWORK_SETTINGS[wildcards.architecture]


def split_settings(wildcards):
    """Return what one train split and seed depend on: no test split, no other train split.

    But for those that it is drawn from, or whose size it takes.
    """
    drawn = splits.alone(STUDY.splits, wildcards.train_split)
    return settings(splits=drawn, seeds=[int(wildcards.seed)])


def predictions_to_pair(wildcards):
    """List the predictions of one architecture on the train splits compared by one attribute."""
    return expand(
        rules.cell_predictions.output,
        architecture=wildcards.architecture,
        train_split=[name for names in paired(wildcards.attribute) for name in names],
    )


def effect_settings(wildcards):
    """Return what the effects of training by one attribute depend on."""
    return settings(
        labels=STUDY.labels,
        evaluation=STUDY.evaluation.resampling,
        together=paired(wildcards.attribute),
    )


def test_settings(wildcards):
    """Return what the metrics of one test split depend on."""
    return settings(
        labels=STUDY.labels,
        evaluation=STUDY.evaluation.resampling,
        test=STUDY.splits.test[wildcards.test_split],
    )


def group_settings(wildcards):
    """Return what the metrics by group of the models of one train split depend on."""
    return settings(
        labels=STUDY.labels,
        evaluation=STUDY.evaluation.resampling,
        attributes=COMPARED_BY[wildcards.train_split],
    )


def explanation_settings(wildcards):
    """Return what the heatmaps of one model depend on."""
    return settings(
        architecture=NETWORKS[wildcards.architecture],
        labels=UNFUSED,
        explaining=STUDY.explanation.of(wildcards.architecture),
    )


def weights_of(wildcards):
    """Return what the configuration says of an architecture's pretrained weights."""
    return STUDY.architectures[wildcards.architecture].weights


def weights_address(wildcards):
    """Return the address of an architecture's pretrained weights; None: they lie on a disk."""
    return formats.address(weights_of(wildcards), network_of(wildcards.architecture))


def weights_digest(wildcards):
    """Return the option with the checksum that the file at that address must have, if it is known."""
    digest = formats.digest(weights_of(wildcards), network_of(wildcards.architecture))
    return f"--sha256 {digest}" if digest else ""


def weights_file(wildcards):
    """Return the file of an architecture's pretrained weights, as it was published."""
    fetched = weights_address(wildcards) is not None
    return rules.fetch_weights.output if fetched else weights_of(wildcards).source


def conversion_settings(wildcards):
    """Return what the converted weights of one architecture depend on."""
    return converted(wildcards.architecture)


def feature_settings(wildcards):
    """Return what the features of a frozen network depend on."""
    return extracted(wildcards.architecture)


def pretrained(wildcards):
    """List the converted weights that training starts from: none or one."""
    owner = WEIGHTS_OF[wildcards.architecture]
    return expand(rules.convert_weights.output, architecture=owner) if weights_of(wildcards) else []


def fixed_features(wildcards):
    """List the index of the features that all models of an architecture share: none or one."""
    if not STUDY.architectures[wildcards.architecture].has_fixed_features:
        return []
    owner = FEATURES_OF[wildcards.architecture]
    return expand(rules.features.output.index, architecture=owner)


def gpus(wildcards):
    """Ask for one GPU, unless the configuration puts the architecture on the CPU."""
    return int(STUDY.architectures[wildcards.architecture].training.device != "cpu")


def sanity(wildcards, input):
    """Return the input of a figure that says whether heatmaps fail the check, where there is one."""
    return [f"randomisation={path}" for path in input.sanity]


def first_fold(path):
    """Return the path of one of the outputs of `explain` for the first fold and seed."""
    return expand(path, fold=FOLDS[0], seed=SEEDS[0], allow_missing=True)


# A paper's figures and tables that this study makes, by their numbers.
NUMBERED_FIGURES = numbered.of(STUDY, numbered.FIGURE)
NUMBERED_TABLES = numbered.of(STUDY, numbered.TABLE)


def numbered_figure(wildcards):
    """Return the figure of a paper that a job draws."""
    return NUMBERED_FIGURES[int(wildcards.number)]


def numbered_drawing(wildcards):
    """Return what draws it."""
    return numbered_figure(wildcards).drawing


def numbered_sources(wildcards):
    """Return the digests of the files behind it."""
    return figure_sources(numbered_drawing(wildcards))


def numbered_inputs(wildcards):
    """Return the tables that it is drawn from, by the names that the figure has for them."""
    keep = numbered_figure(wildcards).keep
    model = {
        **{name: values[0] for name, values in keep.items() if name in EVERY_EXPLAINED_MODEL},
        "fold": FOLDS[0],
        "seed": SEEDS[0],
    }
    paths = DRAWN_FROM[numbered_drawing(wildcards)]
    return {name: str(path).format(**model) for name, path in paths.items()}


def numbered_options(wildcards, input):
    """Return the options that say what is drawn."""
    item = numbered_figure(wildcards)
    keep = [f"{name}={','.join(values)}" for name, values in item.keep.items()]
    if item.drawing in numbered.OF_ALL_ARCHITECTURES:
        keep.append(DECLARED)
    select = [f"{name}={value}" for name, value in item.select.items()]
    options = {
        "--input": [f"{name}={path}" for name, path in input.items()],
        "--keep": keep,
        "--select": select,
        "--note": [item.caption(STUDY.published)],
    }
    return [word for name, words in options.items() if words for word in (name, *words)]


def growing(amount):
    """Return a resource that grows with every attempt of a job."""

    def grown(wildcards, attempt):
        return amount * attempt

    return grown


FILMS = [f"{OUT}/data/drawn/shard-{shard}" for shard in DRAWN_SHARDS] if DRAWN else []
GIVEN_TABLES = datasets.given_tables(STUDY.data, ROOT)
# Those that the study names, else those that its data set ships.
GIVEN_LANDMARKS = [f"{OUT}/data/landmarks.parquet"] if datasets.has_landmarks(STUDY.data) else []
if STUDY.explanation.landmarks:
    GIVEN_LANDMARKS = [str(Path(ROOT, STUDY.explanation.landmarks))]
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
    matched=MATCHED,
    questions=QUESTIONS,
)
# Of a study of units: how often each occurs.
UNITS = f"{OUT}/data/units.csv"
OF_UNITS = STUDY.labels.kind == "units"
# What is drawn and printed of every label.
RATES = ["f1", "f1_skew_normalised", "auc"] if OF_UNITS else ["accuracy", "tpr", "fpr"]
# By group also how often each label is given, and of units what is found of it.
GROUP_RATES = list(dict.fromkeys([*RATES, "tpr", "fpr", "selection_rate"]))
CAPTIONS = os.path.relpath(Path(PACKAGE_ROOT, "report"))
