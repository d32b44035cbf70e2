# How far gaps can be trusted: confounds, sources of variance, test subjects drawn again.
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
        "../../envs/clips.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        code=sources("quality"),
    shell:
        "python -m facebias quality --index {input.index:q} --out {output:q} 2> {log:q}"


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
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=sources("confounds"),
        settings=constant(
            labels=STUDY.labels,
            evaluation=STUDY.evaluation.comparison,
            attributes=targets.attributes,
            compared_by=targets.compared_by,
        ),
    shell:
        "python -m facebias confounds --settings {params.settings:q} --manifest {input.manifest:q}"
        " --excluded {input.excluded:q} --quality {input.quality:q} --splits {input.splits:q}"
        " --out {output:q} 2> {log:q}"


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
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=sources("variance"),
        settings=constant(labels=STUDY.labels, evaluation=STUDY.evaluation.resampling),
    shell:
        "python -m facebias variance --settings {params.settings:q}"
        " --train-split {wildcards.train_split:q} --attribute {wildcards.attribute:q}"
        " --manifest {input.manifest:q} --predictions {input.predictions:q}"
        " --out {output:q} 2> {log:q}"


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
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=sources("redraws"),
        settings=constant(labels=STUDY.labels, evaluation=STUDY.evaluation.resampling),
    shell:
        "python -m facebias redraws --settings {params.settings:q}"
        " --train-split {wildcards.train_split:q} --attribute {wildcards.attribute:q}"
        " --manifest {input.manifest:q} --predictions {input.predictions:q}"
        " --out {output:q} 2> {log:q}"


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
