# From clips to predictions: who trains and tests, one model per job, one scoring per model.
MODEL = "{architecture}/{train_split}/fold-{fold}/seed-{seed}"


rule split:
    """Draw who trains, validates and tests, by subject."""
    input:
        code=sources("split"),
        manifest=rules.manifest.output.manifest,
    output:
        f"{OUT}/data/splits.csv",
    log:
        f"{OUT}/logs/split.log",
    benchmark:
        f"{OUT}/benchmarks/split.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        settings=constant(splits=STUDY.splits, seeds=STUDY.seeds),
    shell:
        "python -m facebias split --settings {params.settings:q} --manifest {input.manifest}"
        " --out {output} 2> {log}"


rule train_model:
    """Train one architecture on one train split, fold and seed."""
    input:
        code=network_sources("train"),
        manifest=rules.manifest.output.manifest,
        splits=rules.split.output,
        index=rules.index.output.index,
        faces=rules.index.input.faces,
    output:
        weights=f"{OUT}/models/{MODEL}/weights.safetensors",
        history=f"{OUT}/models/{MODEL}/history.csv",
        provenance=f"{OUT}/models/{MODEL}/provenance.json",
    log:
        f"{OUT}/logs/train/{MODEL}.log",
    benchmark:
        f"{OUT}/benchmarks/train/{MODEL}.tsv"
    conda:
        "../../envs/models.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(1440),
        gpu=gpus,
    params:
        settings=network_settings,
        folder=subpath(output.weights, parent=True),
    shell:
        "python -m facebias train --settings {params.settings:q}"
        " --architecture {wildcards.architecture} --train-split {wildcards.train_split}"
        " --fold {wildcards.fold} --seed {wildcards.seed} --threads {threads}"
        " --manifest {input.manifest} --splits {input.splits} --index {input.index}"
        " --out {params.folder} 2> {log}"


rule predict:
    """Score every test sample of a model's fold once; test splits select rows later."""
    input:
        code=network_sources("predict"),
        manifest=rules.manifest.output.manifest,
        splits=rules.split.output,
        index=rules.index.output.index,
        faces=rules.index.input.faces,
        weights=rules.train_model.output.weights,
    output:
        f"{OUT}/predictions/{MODEL}.parquet",
    log:
        f"{OUT}/logs/predict/{MODEL}.log",
    benchmark:
        f"{OUT}/benchmarks/predict/{MODEL}.tsv"
    conda:
        "../../envs/models.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
        gpu=gpus,
    params:
        settings=network_settings,
        folder=subpath(input.weights, parent=True),
    shell:
        "python -m facebias predict --settings {params.settings:q}"
        " --architecture {wildcards.architecture} --train-split {wildcards.train_split}"
        " --fold {wildcards.fold} --seed {wildcards.seed} --threads {threads}"
        " --manifest {input.manifest} --splits {input.splits} --index {input.index}"
        " --model {params.folder} --out {output} 2> {log}"


EVERY_MODEL = dict(architecture=ARCHITECTURES, train_split=TRAIN_SPLITS, fold=FOLDS, seed=SEEDS)
MODELS = expand(rules.train_model.output.weights, **EVERY_MODEL)
PREDICTIONS = expand(rules.predict.output, **EVERY_MODEL)
