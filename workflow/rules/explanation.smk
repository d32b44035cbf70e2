# From models to heatmaps: every test sample of a model's fold once; figures select from them.


rule explain:
    """Explain every test sample of one model once."""
    input:
        manifest=rules.manifest.output.manifest,
        splits=rules.split.output,
        index=clips_of,
        weights=rules.train_model.output.weights,
        thresholds=rules.decide.output.thresholds if targets.has_thresholds else [],
    output:
        relevance=f"{OUT}/heatmaps/{{method}}/{MODEL}.npz",
        table=f"{OUT}/heatmaps/{{method}}/{MODEL}.csv",
    log:
        f"{OUT}/logs/explain/{{method}}/{MODEL}.log",
    benchmark:
        f"{OUT}/benchmarks/explain/{{method}}/{MODEL}.tsv"
    conda:
        environment("explain")
    threads: 1
    resources:
        **needs("explain"),
        gpu=gpus,
    params:
        code=network_sources("explain"),
        settings=slices.explanation,
        model=subpath(input.weights, parent=True),
    shell:
        command("explain")


rule randomise:
    """Compare the heatmaps of one model with those of the model re-initialised from its top."""
    input:
        manifest=rules.manifest.output.manifest,
        splits=rules.split.output,
        index=clips_of,
        weights=rules.train_model.output.weights,
    output:
        f"{OUT}/randomisation/{{method}}/{MODEL}.csv",
    log:
        f"{OUT}/logs/randomise/{{method}}/{MODEL}.log",
    benchmark:
        f"{OUT}/benchmarks/randomise/{{method}}/{MODEL}.tsv"
    conda:
        environment("randomise")
    threads: 1
    resources:
        **needs("randomise"),
        gpu=gpus,
    params:
        code=network_sources("randomise"),
        settings=slices.explanation,
        model=subpath(input.weights, parent=True),
        samples=STUDY.explanation.randomisation,
    shell:
        command("randomise")


use rule gather_metrics as gather_explanations with:
    input:
        cells=expand(rules.explain.output.table, **targets.explained_models),
    output:
        f"{OUT}/tables/explanations.csv",
    log:
        f"{OUT}/logs/gather/explanations.log",
    benchmark:
        f"{OUT}/benchmarks/gather/explanations.tsv"
    params:
        code=sources("gather"),
        table="explanations",


# One model of each architecture is checked.
use rule gather_metrics as gather_randomisation with:
    input:
        cells=expand(
            rules.randomise.output,
            **{
                **targets.explained_models,
                "train_split": targets.train_splits[0],
                "fold": targets.folds[0],
            },
        ),
    output:
        f"{OUT}/tables/randomisation.csv",
    log:
        f"{OUT}/logs/gather/randomisation.log",
    benchmark:
        f"{OUT}/benchmarks/gather/randomisation.tsv"
    params:
        code=sources("gather"),
        table="randomisation",


HEATMAPS = [
    *expand(rules.explain.output.relevance, **targets.explained_models),
    *(rules.gather_explanations.output if targets.explained else []),
    *(rules.gather_randomisation.output if targets.is_randomised else []),
]
