# From models to heatmaps: layer-wise relevance propagation, batched per model and test split.
# A cell is explained by the model of its first fold and seed.
EXPLAINED_WEIGHTS = expand(
    rules.train_model.output.weights, fold=FOLDS[0], seed=SEEDS[0], allow_missing=True
)[0]


rule explain:
    """Explain the test samples of one cell."""
    input:
        code=network_sources("explain"),
        manifest=rules.manifest.output.manifest,
        splits=rules.split.output,
        index=rules.index.output.index,
        faces=rules.index.input.faces,
        weights=EXPLAINED_WEIGHTS,
    output:
        relevance=f"{OUT}/heatmaps/{CELL}.npz",
        table=f"{OUT}/heatmaps/{CELL}.csv",
    log:
        f"{OUT}/logs/explain/{CELL}.log",
    benchmark:
        f"{OUT}/benchmarks/explain/{CELL}.tsv"
    conda:
        "../../envs/models.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(240),
        gpu=gpus,
    params:
        settings=explanation_settings,
        folder=subpath(input.weights, parent=True),
        fold=FOLDS[0],
        seed=SEEDS[0],
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
