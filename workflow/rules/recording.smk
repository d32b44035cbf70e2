# What cards, checksums and the record of a study ask for. Nothing here runs a job.
from snakemake.io import strip_wildcard_constraints
from facebias.stages.report import Checksums, ModelCard


def card_settings(wildcards):
    """Return what the card of one architecture depends on."""
    card = ModelCard.Settings(
        study=STUDY.study,
        title=STUDY.title,
        architecture=STUDY.architectures[wildcards.architecture],
        data=STUDY.data,
        labels=STUDY.labels,
        splits=STUDY.splits,
        evaluation=STUDY.evaluation,
        seeds=STUDY.seeds,
        train_splits=targets.train_splits,
        test_splits=targets.test_splits,
        compared_by=targets.compared_by,
        provenance=str(rules.train_model.output.provenance),
    )
    return settings(card)


def digested(wildcards):
    """List what the files of one part wait for. Of a model, its predictions come last."""
    if wildcards.part in targets.architectures:
        names = dict(targets.models, architecture=wildcards.part)
        return expand(SCORED, **names)
    return DIGESTED[wildcards.part]


def under_study(patterns):
    """Name files as seen from the folder of the study."""
    return [str(pattern).removeprefix(f"{OUT}/") for pattern in patterns]


def digest_settings(wildcards):
    """Name the files of one part by their patterns: a command line cannot hold thousands."""
    names = {"train_split": targets.train_splits, "fold": targets.folds, "seed": targets.seeds}
    return settings(Checksums.Settings(files=under_study(DIGESTED[wildcards.part]), names=names))


def runs_network(rule):
    """Tell whether the jobs of a rule may take a GPU; the architecture decides."""
    return callable(rule.resources.get("gpu"))


def benchmarks():
    """List the benchmark files of all rules of the study, and whether their jobs run a network."""
    folder = f"{OUT}/benchmarks/"
    return {
        strip_wildcard_constraints(rule.benchmark).removeprefix(folder): runs_network(rule)
        for rule in workflow.rules
        if rule.benchmark and folder in rule.benchmark
    }
