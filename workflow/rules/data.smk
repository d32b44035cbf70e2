# From a data set to its manifest. Drawn people are filmed first.


rule resolve:
    """Write the configuration with every default filled in."""
    output:
        f"{OUT}/config.yaml",
    log:
        f"{OUT}/logs/resolve.log",
    benchmark:
        f"{OUT}/benchmarks/resolve.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
    params:
        # In the order of the file: figures and tables keep it, and so must a run of this copy.
        settings=unchanging(json.dumps({"study": PREPARED.resolved})),
    shell:
        "python -m facebias resolve --settings {params.settings:q} --out {output} 2> {log}"


rule draw:
    """Draw one shard of the people and film them."""
    output:
        directory(f"{OUT}/data/drawn/shard-{{drawn_shard}}"),
    log:
        f"{OUT}/logs/draw/{{drawn_shard}}.log",
    benchmark:
        f"{OUT}/benchmarks/draw/{{drawn_shard}}.tsv"
    conda:
        "../../envs/clips.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        code=sources("draw"),
        settings=DRAWN_SETTINGS,
    shell:
        "python -m facebias draw --settings {params.settings:q}"
        " --shard {wildcards.drawn_shard} --out {output} 2> {log}"


rule manifest:
    """List the samples with their labels, subjects and attributes."""
    input:
        given=GIVEN_TABLES,
    output:
        **({"units": UNITS} if OF_UNITS else {}),
        manifest=f"{OUT}/data/manifest.csv",
        excluded=f"{OUT}/data/manifest-excluded.csv",
    log:
        f"{OUT}/logs/manifest.log",
    benchmark:
        f"{OUT}/benchmarks/manifest.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=sources("manifest", *datasets.modules(STUDY.data)),
        # The index looks at max_excluded, after the faces are cut.
        settings=constant(data=dataclasses.replace(STUDY.data, max_excluded=1.0), labels=UNFUSED),
        root=ROOT,
        files=FILES,
        units=f"--units {UNITS}" if OF_UNITS else "",
    shell:
        "python -m facebias manifest --settings {params.settings:q} --root {params.root:q}"
        " --out {output.manifest} --excluded {output.excluded} {params.units} 2> {log}"


rule landmarks:
    """List the landmarks that the data set ships, for the regions of the face."""
    input:
        manifest=rules.manifest.output.manifest,
    output:
        f"{OUT}/data/landmarks.parquet",
    log:
        f"{OUT}/logs/landmarks.log",
    benchmark:
        f"{OUT}/benchmarks/landmarks.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        code=sources("landmarks", *datasets.modules(STUDY.data)),
        settings=constant(data=STUDY.data),
        root=ROOT,
        files=FILES,
    shell:
        "python -m facebias landmarks --settings {params.settings:q} --root {params.root:q}"
        " --out {output} 2> {log}"
