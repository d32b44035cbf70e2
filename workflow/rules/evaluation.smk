# From predictions to metrics and gaps: arithmetic on per-subject counts, no torch.
from facebias.stages.evaluation import Fairness, Judge

CELL = "{architecture}/{train_split}/{test_split}"


rule decide:
    """Choose from which score each unit counts as found, on the validation subjects of one model."""
    input:
        manifest=rules.manifest.output.manifest,
        splits=rules.split.output,
        index=clips_of,
        weights=rules.train_model.output.weights,
        features=fixed_features,
        predictions=rules.predict.output,
    output:
        thresholds=f"{OUT}/models/{MODEL}/thresholds.csv",
        predictions=f"{OUT}/decisions/{MODEL}.parquet",
    log:
        f"{OUT}/logs/decide/{MODEL}.log",
    benchmark:
        f"{OUT}/benchmarks/decide/{MODEL}.tsv"
    conda:
        environment("decide")
    threads: 1
    resources:
        **needs("decide"),
        gpu=gpus,
    params:
        code=network_sources("decide"),
        settings=slices.network,
        model=subpath(input.weights, parent=True),
    shell:
        command("decide")


# By which rules gaps are judged.
JUDGED = Judge.Settings(
    evaluation=STUDY.evaluation, questions=PREPARED.questions, architectures=targets.declared
)
# What is evaluated: the predictions, with thresholds where they are chosen.
SCORED = rules.decide.output.predictions if targets.has_thresholds else rules.predict.output


rule cell_predictions:
    """Put the predictions of one architecture and train split over folds and seeds together.

    The jobs that evaluate them then have one input, where thousands would fill their command lines
    and take most of the time of planning.
    """
    input:
        cells=expand(SCORED, fold=targets.folds, seed=targets.seeds, allow_missing=True),
    output:
        f"{OUT}/predictions/{TRAINED}.parquet",
    log:
        f"{OUT}/logs/gather/predictions/{TRAINED}.log",
    benchmark:
        f"{OUT}/benchmarks/gather/predictions/{TRAINED}.tsv"
    conda:
        environment("gather")
    threads: 1
    resources:
        **needs("gather"),
    params:
        code=sources("gather"),
        table="predictions",
    shell:
        command("gather")


rule cell_metrics:
    """Measure one architecture, trained on one split, on one test split."""
    input:
        manifest=rules.manifest.output.manifest,
        predictions=rules.cell_predictions.output,
    output:
        metrics=f"{OUT}/metrics/{CELL}.csv",
        confusion=f"{OUT}/confusion/{CELL}.csv",
    log:
        f"{OUT}/logs/metrics/{CELL}.log",
    benchmark:
        f"{OUT}/benchmarks/metrics/{CELL}.tsv"
    conda:
        environment("metrics")
    threads: 1
    resources:
        **needs("metrics"),
    params:
        code=sources("metrics"),
        settings=slices.test,
    shell:
        command("metrics")


rule cell_metrics_by_group:
    """Measure one architecture and train split on everybody tested and on every group of them."""
    input:
        manifest=rules.manifest.output.manifest,
        predictions=rules.cell_predictions.output,
    output:
        f"{OUT}/metrics_by_group/{TRAINED}.csv",
    log:
        f"{OUT}/logs/metrics_by_group/{TRAINED}.log",
    benchmark:
        f"{OUT}/benchmarks/metrics_by_group/{TRAINED}.tsv"
    conda:
        environment("metrics_by_group")
    threads: 1
    resources:
        **needs("metrics_by_group"),
    params:
        code=sources("metrics_by_group"),
        settings=slices.groups,
    shell:
        command("metrics_by_group")


rule cell_fairness:
    """Measure the gaps between the groups of one attribute for one architecture and train split."""
    input:
        manifest=rules.manifest.output.manifest,
        predictions=rules.cell_predictions.output,
    output:
        f"{OUT}/fairness/{{architecture}}/{{train_split}}/{{attribute}}.csv",
    log:
        f"{OUT}/logs/fairness/{{architecture}}/{{train_split}}/{{attribute}}.log",
    benchmark:
        f"{OUT}/benchmarks/fairness/{{architecture}}/{{train_split}}/{{attribute}}.tsv"
    conda:
        environment("fairness")
    threads: 1
    resources:
        **needs("fairness"),
    params:
        code=sources("fairness"),
        settings=constant(
            Fairness.Settings(
                **slices.measured,
                tests=max(1, len(PREPARED.questions) * len(targets.declared)),
            )
        ),
    shell:
        command("fairness")


use rule cell_predictions as gather_metrics with:
    input:
        cells=expand(
            rules.cell_metrics.output.metrics,
            targets.own,
            architecture=targets.architectures,
            train_split=targets.train_splits,
            test_split=targets.test_splits,
        ),
    output:
        f"{OUT}/tables/metrics.csv",
    log:
        f"{OUT}/logs/gather/metrics.log",
    benchmark:
        f"{OUT}/benchmarks/gather/metrics.tsv"
    params:
        code=sources("gather"),
        table="metrics",


use rule gather_metrics as gather_metrics_by_group with:
    input:
        cells=expand(
            rules.cell_metrics_by_group.output,
            architecture=targets.architectures,
            train_split=targets.train_splits,
        ),
    output:
        f"{OUT}/tables/metrics_by_group.csv",
    log:
        f"{OUT}/logs/gather/metrics_by_group.log",
    benchmark:
        f"{OUT}/benchmarks/gather/metrics_by_group.tsv"
    params:
        code=sources("gather"),
        table="metrics_by_group",


use rule gather_metrics as gather_splits with:
    input:
        cells=expand(rules.split.output, train_split=targets.train_splits, seed=targets.seeds),
    output:
        f"{OUT}/data/splits.csv",
    log:
        f"{OUT}/logs/gather/splits.log",
    benchmark:
        f"{OUT}/benchmarks/gather/splits.tsv"
    params:
        code=sources("gather"),
        table="splits",


use rule gather_metrics as gather_confusion with:
    input:
        cells=expand(
            rules.cell_metrics.output.confusion,
            targets.own,
            architecture=targets.architectures,
            train_split=targets.train_splits,
            test_split=targets.test_splits,
        ),
    output:
        f"{OUT}/tables/confusion.csv",
    log:
        f"{OUT}/logs/gather/confusion.log",
    benchmark:
        f"{OUT}/benchmarks/gather/confusion.tsv"
    params:
        code=sources("gather"),
        table="confusion",


rule gather_fairness:
    """Put the gaps of all models together, correct for their number and say what they mean."""
    input:
        cells=expand(
            rules.cell_fairness.output,
            targets.own,
            architecture=targets.architectures,
            train_split=targets.train_splits,
            attribute=targets.attributes,
        ),
        by_group=rules.gather_metrics_by_group.output,
    output:
        f"{OUT}/tables/fairness.csv",
    log:
        f"{OUT}/logs/gather/fairness.log",
    benchmark:
        f"{OUT}/benchmarks/gather/fairness.tsv"
    conda:
        environment("judge")
    threads: 1
    resources:
        **needs("judge"),
    params:
        code=sources("judge"),
        table="fairness",
        settings=constant(JUDGED),
    shell:
        command("judge")


rule cell_effects:
    """Measure what another training split changes for the same test subjects."""
    input:
        manifest=rules.manifest.output.manifest,
        predictions=predictions_to_pair,
    output:
        f"{OUT}/effects/{{architecture}}/{{attribute}}.csv",
    log:
        f"{OUT}/logs/effects/{{architecture}}/{{attribute}}.log",
    benchmark:
        f"{OUT}/benchmarks/effects/{{architecture}}/{{attribute}}.tsv"
    conda:
        environment("effects")
    threads: 1
    resources:
        **needs("effects"),
    params:
        code=sources("effects"),
        settings=slices.effects,
    shell:
        command("effects")


use rule gather_fairness as gather_effects with:
    input:
        cells=expand(
            rules.cell_effects.output,
            architecture=targets.architectures,
            attribute=targets.effects,
        ),
        by_group=rules.gather_metrics_by_group.output,
    output:
        f"{OUT}/tables/effects.csv",
    log:
        f"{OUT}/logs/gather/effects.log",
    benchmark:
        f"{OUT}/benchmarks/gather/effects.tsv"
    params:
        code=sources("judge"),
        table="effects",
        settings=constant(JUDGED),


# What another training split changes: needs two.
EFFECTS = rules.gather_effects.output if targets.effects else []


use rule gather_metrics as cell_histories with:
    input:
        cells=expand(
            rules.train_model.output.history,
            fold=targets.folds,
            seed=targets.seeds,
            allow_missing=True,
        ),
    output:
        f"{OUT}/models/{TRAINED}/history.csv",
    log:
        f"{OUT}/logs/gather/histories/{TRAINED}.log",
    benchmark:
        f"{OUT}/benchmarks/gather/histories/{TRAINED}.tsv"
    params:
        code=sources("gather"),
        table="history",
