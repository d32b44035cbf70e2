# How far gaps can be trusted: confounds, sources of variance, test subjects drawn again.
from facebias.stages.evaluation import Confounds, OfArchitectures

DIAGNOSED = "{train_split}/{attribute}"


rule quality:
    """Measure how well the face of every clip can be seen."""
    input:
        index=rules.index.output.index,
        faces=rules.index.input.faces,
    output:
        f"{OUT}/{CUT}/quality.parquet",
    log:
        f"{OUT}/logs/quality/{CUT}.log",
    benchmark:
        f"{OUT}/benchmarks/quality/{CUT}.tsv"
    conda:
        environment("quality")
    threads: 1
    resources:
        **needs("quality"),
    params:
        code=sources("quality"),
    shell:
        command("quality")


rule confounds:
    """Measure what differs between groups beside the attribute that names them."""
    input:
        manifest=rules.manifest.output.manifest,
        excluded=expand(rules.index.output.excluded, variant=targets.first_clips),
        quality=expand(rules.quality.output, variant=targets.first_clips),
        splits=rules.gather_splits.output,
    output:
        f"{OUT}/tables/confounds.csv",
    log:
        f"{OUT}/logs/confounds.log",
    benchmark:
        f"{OUT}/benchmarks/confounds.tsv"
    conda:
        environment("confounds")
    threads: 1
    resources:
        **needs("confounds"),
    params:
        code=sources("confounds"),
        settings=constant(
            Confounds.Settings(
                labels=STUDY.labels,
                evaluation=STUDY.evaluation.comparison,
                attributes=targets.attributes,
                compared_by=targets.compared_by,
            )
        ),
    shell:
        command("confounds")


# Of all architectures.
PREDICTIONS_OF_SPLIT = expand(
    rules.cell_predictions.output, architecture=targets.architectures, allow_missing=True
)


rule split_variance:
    """Tell what subjects, folds and seeds add to the variance of the gaps of one train split."""
    input:
        manifest=rules.manifest.output.manifest,
        predictions=PREDICTIONS_OF_SPLIT,
    output:
        f"{OUT}/variance/{DIAGNOSED}.csv",
    log:
        f"{OUT}/logs/variance/{DIAGNOSED}.log",
    benchmark:
        f"{OUT}/benchmarks/variance/{DIAGNOSED}.tsv"
    conda:
        environment("variance")
    threads: 1
    resources:
        **needs("variance"),
    params:
        code=sources("variance"),
        settings=constant(OfArchitectures.Settings(**slices.measured)),
    shell:
        command("variance")


rule split_redraws:
    """Draw the test subjects of one train split again and see how gaps and verdicts change."""
    input:
        manifest=rules.manifest.output.manifest,
        predictions=PREDICTIONS_OF_SPLIT,
    output:
        f"{OUT}/redraws/{DIAGNOSED}.csv",
    log:
        f"{OUT}/logs/redraws/{DIAGNOSED}.log",
    benchmark:
        f"{OUT}/benchmarks/redraws/{DIAGNOSED}.tsv"
    conda:
        environment("redraws")
    threads: 1
    resources:
        **needs("redraws"),
    params:
        code=sources("redraws"),
        settings=constant(OfArchitectures.Settings(**slices.measured)),
    shell:
        command("redraws")


use rule gather_metrics as gather_variance with:
    input:
        cells=expand(
            rules.split_variance.output,
            targets.own,
            train_split=targets.train_splits,
            attribute=targets.attributes,
        ),
    output:
        f"{OUT}/tables/variance.csv",
    log:
        f"{OUT}/logs/gather/variance.log",
    benchmark:
        f"{OUT}/benchmarks/gather/variance.tsv"
    params:
        code=sources("gather"),
        table="variance",


use rule gather_metrics as gather_redraws with:
    input:
        cells=expand(
            rules.split_redraws.output,
            targets.own,
            train_split=targets.train_splits,
            attribute=targets.attributes,
        ),
    output:
        f"{OUT}/tables/redraws.csv",
    log:
        f"{OUT}/logs/gather/redraws.log",
    benchmark:
        f"{OUT}/benchmarks/gather/redraws.tsv"
    params:
        code=sources("gather"),
        table="redraws",


DIAGNOSTICS = [
    rules.confounds.output,
    rules.gather_variance.output,
    rules.gather_redraws.output,
]
