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
        "python -m facebias quality --index {input.index} --out {output} 2> {log}"


rule confounds:
    """Measure what differs between groups beside the attribute that names them."""
    input:
        manifest=rules.manifest.output.manifest,
        excluded=expand(rules.index.output.excluded, variant=FIRST_CLIPS),
        quality=expand(rules.quality.output, variant=FIRST_CLIPS),
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
            attributes=ATTRIBUTES,
            compared_by=COMPARED_BY,
        ),
    shell:
        "python -m facebias confounds --settings {params.settings:q} --manifest {input.manifest}"
        " --excluded {input.excluded} --quality {input.quality} --splits {input.splits}"
        " --out {output} 2> {log}"


# Of all architectures.
PREDICTIONS_OF_SPLIT = expand(
    rules.cell_predictions.output, architecture=ARCHITECTURES, allow_missing=True
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
        " --train-split {wildcards.train_split} --attribute {wildcards.attribute}"
        " --manifest {input.manifest} --predictions {input.predictions}"
        " --out {output} 2> {log}"


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
        " --train-split {wildcards.train_split} --attribute {wildcards.attribute}"
        " --manifest {input.manifest} --predictions {input.predictions}"
        " --out {output} 2> {log}"


use rule gather_metrics as gather_variance with:
    input:
        cells=expand(
            rules.split_variance.output, own, train_split=TRAIN_SPLITS, attribute=ATTRIBUTES
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
            rules.split_redraws.output, own, train_split=TRAIN_SPLITS, attribute=ATTRIBUTES
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


rule figure_confounds:
    """Draw what else differs between the groups of one attribute."""
    input:
        table=rules.confounds.output,
    output:
        pdf=f"{FIGURE}/confounds/{{attribute}}.pdf",
        csv=f"{FIGURE}/confounds/{{attribute}}.csv",
        png=report(
            f"{FIGURE}/confounds/{{attribute}}.png",
            caption="../report/confounds.rst",
            category="6. Data",
            labels={"figure": "what else differs by {attribute}"},
        ),
    log:
        f"{OUT}/logs/figures/confounds/{{attribute}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/confounds/{{attribute}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("confounds"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure confounds --settings {params.settings:q}"
        " --input confounds={input.table} --select attribute={wildcards.attribute}"
        " --out {params.stem} 2> {log}"


rule figure_variance:
    """Draw what of a gap's variance comes from subjects, and what from training."""
    input:
        table=rules.gather_variance.output,
    output:
        pdf=f"{FIGURE}/variance/{{attribute}}.pdf",
        csv=f"{FIGURE}/variance/{{attribute}}.csv",
        png=report(
            f"{FIGURE}/variance/{{attribute}}.png",
            caption="../report/variance.rst",
            category="1. Gaps between groups",
            labels={"attribute": "{attribute}", "gaps": "sources of variance"},
        ),
    log:
        f"{OUT}/logs/figures/variance/{{attribute}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/variance/{{attribute}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("variance"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure variance --settings {params.settings:q}"
        " --input variance={input.table} --select attribute={wildcards.attribute}"
        " --out {params.stem} 2> {log}"


rule figure_redraws:
    """Draw how gaps and verdicts would change with other test subjects."""
    input:
        table=rules.gather_redraws.output,
    output:
        pdf=f"{FIGURE}/redraws/{{attribute}}.pdf",
        csv=f"{FIGURE}/redraws/{{attribute}}.csv",
        png=report(
            f"{FIGURE}/redraws/{{attribute}}.png",
            caption="../report/redraws.rst",
            category="1. Gaps between groups",
            labels={"attribute": "{attribute}", "gaps": "with other test subjects"},
        ),
    log:
        f"{OUT}/logs/figures/redraws/{{attribute}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/redraws/{{attribute}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("redraws"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure redraws --settings {params.settings:q}"
        " --input redraws={input.table} --select attribute={wildcards.attribute}"
        " --out {params.stem} 2> {log}"


rule figure_sensitivity:
    """Draw how accuracy and the gaps of one attribute move with the preprocessing."""
    input:
        metrics=rules.gather_metrics.output,
        fairness=rules.gather_fairness.output,
    output:
        pdf=f"{FIGURE}/sensitivity/{{attribute}}.pdf",
        csv=f"{FIGURE}/sensitivity/{{attribute}}.csv",
        png=report(
            f"{FIGURE}/sensitivity/{{attribute}}.png",
            caption="../report/sensitivity.rst",
            category="1. Gaps between groups",
            labels={"attribute": "{attribute}", "gaps": "by variant of the clips"},
        ),
    log:
        f"{OUT}/logs/figures/sensitivity/{{attribute}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/sensitivity/{{attribute}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("sensitivity"),
        settings=FIGURE_SETTINGS,
        # In the order of the configuration, which the figure keeps.
        variants=unchanging(json.dumps(VARIANTS)),
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure sensitivity --settings {params.settings:q}"
        " --input metrics={input.metrics} fairness={input.fairness}"
        " --select attribute={wildcards.attribute} variants={params.variants:q}"
        " --out {params.stem} 2> {log}"


DIAGNOSTICS = [
    rules.confounds.output,
    rules.gather_variance.output,
    rules.gather_redraws.output,
]
# Where some network sees several variants of the clips.
VARIED = ATTRIBUTES if DECLARED_ARCHITECTURES != ARCHITECTURES else []
# With one seed and one fold there is nothing to tell apart; the table says so.
APART = ATTRIBUTES if len(SEEDS) * len(FOLDS) > 1 else []
FIGURES += [
    *expand(rules.figure_redraws.output.png, attribute=ATTRIBUTES),
    *expand(rules.figure_variance.output.png, attribute=APART),
    *expand(rules.figure_confounds.output.png, attribute=ATTRIBUTES),
    *expand(rules.figure_sensitivity.output.png, attribute=VARIED),
]
