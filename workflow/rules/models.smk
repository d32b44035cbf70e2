# From clips to predictions: who trains and tests, one model per job, one scoring per model.
MODEL = "{architecture}/{train_split}/fold-{fold}/seed-{seed}"
# What folds and seeds have in common.
TRAINED = "{architecture}/{train_split}"


rule split:
    """Draw who trains, validates and tests in one train split and seed, by subject."""
    input:
        manifest=rules.manifest.output.manifest,
    output:
        f"{OUT}/data/splits/{{train_split}}/seed-{{seed}}.csv",
    log:
        f"{OUT}/logs/split/{{train_split}}/seed-{{seed}}.log",
    benchmark:
        f"{OUT}/benchmarks/split/{{train_split}}/seed-{{seed}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=sources("split"),
        settings=slices.split,
    shell:
        "python -m facebias split --settings {params.settings:q} --manifest {input.manifest:q}"
        " --train-split {wildcards.train_split:q} --out {output:q} 2> {log:q}"


rule train_model:
    """Train one architecture on one train split, fold and seed."""
    input:
        manifest=rules.manifest.output.manifest,
        splits=rules.split.output,
        index=clips_of,
        pretrained=pretrained,
        features=fixed_features,
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
        code=network_sources("train"),
        settings=slices.network,
        folder=subpath(output.weights, parent=True),
        # Not an output: Snakemake deletes those before it runs a killed job again.
        checkpoints=f"{OUT}/checkpoints/{MODEL}",
    shell:
        # With a trap, bash waits for training, which saves and stops when the whole job gets a signal.
        "trap : TERM HUP USR1;"
        " python -m facebias train --settings {params.settings:q}"
        " --architecture {wildcards.architecture:q} --train-split {wildcards.train_split:q}"
        " --fold {wildcards.fold:q} --seed {wildcards.seed:q} --threads {threads}"
        " --manifest {input.manifest:q} --splits {input.splits:q} --index {input.index:q}"
        " --pretrained {input.pretrained:q} --features {input.features:q}"
        " --out {params.folder:q} --checkpoints {params.checkpoints:q} 2> {log:q}"


rule predict:
    """Score every test sample of a model's fold once; test splits select rows later."""
    input:
        manifest=rules.manifest.output.manifest,
        splits=rules.split.output,
        index=clips_of,
        weights=rules.train_model.output.weights,
        features=fixed_features,
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
        code=network_sources("predict"),
        settings=slices.network,
        folder=subpath(input.weights, parent=True),
    shell:
        "python -m facebias predict --settings {params.settings:q}"
        " --architecture {wildcards.architecture:q} --train-split {wildcards.train_split:q}"
        " --fold {wildcards.fold:q} --seed {wildcards.seed:q} --threads {threads}"
        " --manifest {input.manifest:q} --splits {input.splits:q} --index {input.index:q}"
        " --model {params.folder:q} --features {input.features:q} --out {output:q} 2> {log:q}"


MODELS = expand(rules.train_model.output.weights, **targets.models)
PREDICTIONS = expand(rules.predict.output, **targets.models)
