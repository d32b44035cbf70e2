# From models to heatmaps: layer-wise relevance propagation, batched per model and test split.


def explained_model(part):
    """Give the input function of one model of a cell: that of the first fold and seed."""

    def files(wildcards):
        return expand(
            getattr(rules.train_model.output, part),
            architecture=wildcards.architecture,
            train_split=wildcards.train_split,
            fold=FOLDS[0],
            seed=SEEDS[0],
        )

    return files


rule explain:
    """Explain the test samples of one cell."""
    input:
        code=network_sources("explain"),
        manifest=rules.manifest.output.manifest,
        splits=rules.split.output,
        index=rules.index.output.index,
        faces=rules.index.input.faces,
        weights=explained_model("weights"),
    output:
        relevance=f"{OUT}/heatmaps/{CELL}.npz",
        table=f"{OUT}/heatmaps/{CELL}.csv",
    params:
        settings=explanation_settings,
        folder=subpath(input.weights, parent=True),
        fold=FOLDS[0],
        seed=SEEDS[0],
    log:
        f"{OUT}/logs/explain/{CELL}.log",
    benchmark:
        f"{OUT}/benchmarks/explain/{CELL}.tsv"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=240,
        gpu=gpus,
    conda:
        "../../envs/models.yaml"
    shell:
        "python -m facebias explain --settings {params.settings:q}"
        " --architecture {wildcards.architecture} --train-split {wildcards.train_split}"
        " --test-split {wildcards.test_split} --fold {params.fold} --seed {params.seed}"
        " --threads {threads} --model {params.folder} --manifest {input.manifest}"
        " --splits {input.splits} --index {input.index} --out {output.relevance}"
        " --table {output.table} 2> {log}"


EVERY_EXPLAINED_CELL = dict(
    architecture=list(STUDY.explanation.architectures),
    train_split=TRAIN_SPLITS,
    test_split=TEST_SPLITS,
)
HEATMAPS = expand(rules.explain.output.relevance, **EVERY_EXPLAINED_CELL)
