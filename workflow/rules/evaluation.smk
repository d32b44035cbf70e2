# From predictions to metrics and gaps: arithmetic on per-subject counts, no torch.
CELL = "{architecture}/{train_split}/{test_split}"


rule cell_metrics:
    """Measure one architecture, trained on one split, on one test split."""
    input:
        code=sources("metrics"),
        manifest=rules.manifest.output.manifest,
        predictions=predictions_of_cell,
    output:
        metrics=f"{OUT}/metrics/{CELL}.csv",
        confusion=f"{OUT}/confusion/{CELL}.csv",
    log:
        f"{OUT}/logs/metrics/{CELL}.log",
    benchmark:
        f"{OUT}/benchmarks/metrics/{CELL}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        settings=test_settings,
    shell:
        "python -m facebias metrics --settings {params.settings:q}"
        " --architecture {wildcards.architecture} --train-split {wildcards.train_split}"
        " --test-split {wildcards.test_split} --manifest {input.manifest}"
        " --predictions {input.predictions} --out {output.metrics}"
        " --confusion {output.confusion} 2> {log}"


rule cell_fairness:
    """Measure the gaps between the groups of one attribute for one architecture and train split."""
    input:
        code=sources("fairness"),
        manifest=rules.manifest.output.manifest,
        predictions=predictions_of_cell,
    output:
        f"{OUT}/fairness/{{architecture}}/{{train_split}}/{{attribute}}.csv",
    log:
        f"{OUT}/logs/fairness/{{architecture}}/{{train_split}}/{{attribute}}.log",
    benchmark:
        f"{OUT}/benchmarks/fairness/{{architecture}}/{{train_split}}/{{attribute}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        settings=constant(labels=STUDY.labels, evaluation=STUDY.evaluation),
    shell:
        "python -m facebias fairness --settings {params.settings:q}"
        " --architecture {wildcards.architecture} --train-split {wildcards.train_split}"
        " --attribute {wildcards.attribute} --manifest {input.manifest}"
        " --predictions {input.predictions} --out {output} 2> {log}"


rule gather_metrics:
    """Put the metrics of all cells into one table."""
    input:
        code=sources("gather"),
        cells=expand(
            rules.cell_metrics.output.metrics,
            architecture=ARCHITECTURES,
            train_split=TRAIN_SPLITS,
            test_split=TEST_SPLITS,
        ),
    output:
        f"{OUT}/tables/metrics.csv",
    log:
        f"{OUT}/logs/gather/metrics.log",
    benchmark:
        f"{OUT}/benchmarks/gather/metrics.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        table="metrics",
    shell:
        "python -m facebias gather {params.table} --out {output} {input.cells} 2> {log}"


use rule gather_metrics as gather_confusion with:
    input:
        code=sources("gather"),
        cells=expand(
            rules.cell_metrics.output.confusion,
            architecture=ARCHITECTURES,
            train_split=TRAIN_SPLITS,
            test_split=TEST_SPLITS,
        ),
    output:
        f"{OUT}/tables/confusion.csv",
    log:
        f"{OUT}/logs/gather/confusion.log",
    benchmark:
        f"{OUT}/benchmarks/gather/confusion.tsv"
    params:
        table="confusion",


use rule gather_metrics as gather_fairness with:
    input:
        code=sources("gather"),
        cells=expand(
            rules.cell_fairness.output,
            architecture=ARCHITECTURES,
            train_split=TRAIN_SPLITS,
            attribute=ATTRIBUTES,
        ),
    output:
        f"{OUT}/tables/fairness.csv",
    log:
        f"{OUT}/logs/gather/fairness.log",
    benchmark:
        f"{OUT}/benchmarks/gather/fairness.tsv"
    params:
        table="fairness",
