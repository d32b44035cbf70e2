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
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(60),
    params:
        # No code: what comes depends on the address alone, and an edit must not fetch it again.
        address=weights_address,
        digest=weights_digest,
        # Not an output: Snakemake deletes those before it runs a killed job again.
        partial=f"{OUT}/checkpoints/weights/{{architecture}}.part",
    shell:
        "python -m facebias fetch --url {params.address:q} {params.digest:q}"
        " --partial {params.partial:q} --out {output:q} 2> {log:q}"


rule convert_weights:
    """Check a file of pretrained weights and give its tensors the names of our network."""
    input:
        weights_file,
    output:
        f"{OUT}/weights/{{architecture}}.safetensors",
    log:
        f"{OUT}/logs/convert_weights/{{architecture}}.log",
    benchmark:
        f"{OUT}/benchmarks/convert_weights/{{architecture}}.tsv"
    conda:
        "../../envs/models.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(15),
    params:
        code=network_sources("convert"),
        settings=slices.conversion,
    shell:
        "python -m facebias convert --settings {params.settings:q}"
        " --architecture {wildcards.architecture:q} --file {input:q} --out {output:q} 2> {log:q}"


rule features:
    """Compute what the frozen part of a network makes of every clip, once for all its models."""
    input:
        index=clips_of,
        weights=pretrained,
    output:
        array=f"{OUT}/features/{{architecture}}.npy",
        index=f"{OUT}/features/{{architecture}}.parquet",
    log:
        f"{OUT}/logs/features/{{architecture}}.log",
    benchmark:
        f"{OUT}/benchmarks/features/{{architecture}}.tsv"
    conda:
        "../../envs/models.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(240),
        gpu=gpus,
    params:
        code=network_sources("features"),
        settings=slices.features,
    shell:
        "python -m facebias features --settings {params.settings:q}"
        " --architecture {wildcards.architecture:q} --pretrained {input.weights:q}"
        " --index {input.index:q} --threads {threads} --array {output.array:q} --out {output.index:q}"
        " 2> {log:q}"
