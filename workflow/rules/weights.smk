# From files of pretrained weights to what training starts from, and to features of frozen networks.
# Only architectures that the configuration gives `weights` have jobs here.


rule fetch_weights:
    """Fetch a file of pretrained weights where Snakemake runs: nodes may have no network."""
    output:
        f"{OUT}/weights/{{architecture}}.download",
    log:
        f"{OUT}/logs/fetch_weights/{{architecture}}.log",
    benchmark:
        f"{OUT}/benchmarks/fetch_weights/{{architecture}}.tsv"
    localrule: True
    conda:
        environment("fetch")
    threads: 1
    resources:
        **needs("fetch"),
    params:
        # No code: what comes depends on the address alone, and an edit must not fetch it again.
        url=weights_address,
        sha256=weights_digest,
        # Not an output: Snakemake deletes those before it runs a killed job again.
        partial=f"{OUT}/checkpoints/weights/{{architecture}}.part",
    shell:
        command("fetch")


rule convert_weights:
    """Check a file of pretrained weights and give its tensors the names of our network."""
    input:
        file=weights_file,
    output:
        f"{OUT}/weights/{{architecture}}.safetensors",
    log:
        f"{OUT}/logs/convert_weights/{{architecture}}.log",
    benchmark:
        f"{OUT}/benchmarks/convert_weights/{{architecture}}.tsv"
    conda:
        environment("convert")
    threads: 1
    resources:
        **needs("convert"),
    params:
        code=network_sources("convert"),
        settings=slices.conversion,
    shell:
        command("convert")


rule features:
    """Compute what the frozen part of a network makes of every clip, once for all its models."""
    input:
        index=clips_of,
        pretrained=pretrained,
    output:
        array=f"{OUT}/features/{{architecture}}.npy",
        index=f"{OUT}/features/{{architecture}}.parquet",
    log:
        f"{OUT}/logs/features/{{architecture}}.log",
    benchmark:
        f"{OUT}/benchmarks/features/{{architecture}}.tsv"
    conda:
        environment("features")
    threads: 1
    resources:
        **needs("features"),
        gpu=gpus,
    params:
        code=network_sources("features"),
        settings=slices.features,
    shell:
        command("features")
