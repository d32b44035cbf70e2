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
        environment("split")
    threads: 1
    resources:
        **needs("split"),
    params:
        code=sources("split"),
        settings=slices.split,
    shell:
        command("split")


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
        environment("train")
    threads: 1
    resources:
        **needs("train"),
        gpu=gpus,
    params:
        code=network_sources("train"),
        settings=slices.network,
        out=subpath(output.weights, parent=True),
        # Not an output: Snakemake deletes those before it runs a killed job again.
        checkpoints=f"{OUT}/checkpoints/{MODEL}",
    shell:
        # With a trap, bash waits for training, which saves and stops when the whole job gets a signal.
        f"trap : TERM HUP USR1; {command('train')}"


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
        environment("predict")
    threads: 1
    resources:
        **needs("predict"),
        gpu=gpus,
    params:
        code=network_sources("predict"),
        settings=slices.network,
        model=subpath(input.weights, parent=True),
    shell:
        command("predict")


MODELS = expand(rules.train_model.output.weights, **targets.models)
PREDICTIONS = expand(rules.predict.output, **targets.models)
