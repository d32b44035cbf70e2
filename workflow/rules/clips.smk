# From videos or pictures to clips of faces: sharded, cut once per data set and variant.
CUT = "clips{variant}"


rule locate:
    """Find the faces of one shard of the samples, for all variants that share them."""
    input:
        manifest=rules.manifest.output.manifest,
        films=FILMS,
    output:
        f"{OUT}/{CUT}/faces-{{shard}}.parquet",
    log:
        f"{OUT}/logs/locate/{CUT}/{{shard}}.log",
    benchmark:
        f"{OUT}/benchmarks/locate/{CUT}/{{shard}}.tsv"
    conda:
        "../../envs/clips.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        code=sources("locate"),
        settings=slices.locating,
        files=FILES,
    shell:
        "python -m facebias locate --settings {params.settings:q} --manifest {input.manifest:q}"
        " --shard {wildcards.shard:q} --out {output:q} 2> {log:q}"


rule extract:
    """Decode, pick key frames and cut the faces of one shard of the samples."""
    input:
        manifest=rules.manifest.output.manifest,
        films=FILMS,
        located=located_faces,
    output:
        faces=f"{OUT}/{CUT}/shard-{{shard}}.npy",
        index=f"{OUT}/{CUT}/shard-{{shard}}.parquet",
    log:
        f"{OUT}/logs/extract/{CUT}/{{shard}}.log",
    benchmark:
        f"{OUT}/benchmarks/extract/{CUT}/{{shard}}.tsv"
    conda:
        "../../envs/clips.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        code=sources("extract"),
        settings=slices.clips,
        faces=faces_option,
        files=FILES,
    shell:
        "python -m facebias extract --settings {params.settings:q} --manifest {input.manifest:q}"
        " --shard {wildcards.shard:q} {params.faces:q} --out {output.faces:q} --index {output.index:q}"
        " 2> {log:q}"


rule index:
    """Gather the clips of all shards; count what was left out, by group."""
    input:
        manifest=rules.manifest.output.manifest,
        excluded=rules.manifest.output.excluded,
        faces=expand(rules.extract.output.faces, shard=targets.shards, allow_missing=True),
        shards=expand(rules.extract.output.index, shard=targets.shards, allow_missing=True),
    output:
        index=f"{OUT}/{CUT}/index.parquet",
        excluded=f"{OUT}/data/excluded{{variant}}.csv",
        summary=f"{OUT}/tables/exclusions{{variant}}.csv",
    log:
        f"{OUT}/logs/index/{CUT}.log",
    benchmark:
        f"{OUT}/benchmarks/index/{CUT}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        code=sources("index"),
        settings=constant(data=STUDY.data),
    shell:
        "python -m facebias index --settings {params.settings:q} --manifest {input.manifest:q}"
        " --excluded {input.excluded:q} --shards {input.shards:q} --out {output.index:q}"
        " --excluded-out {output.excluded:q} --summary {output.summary:q} 2> {log:q}"


# Of every variant that an architecture sees.
INDEXES = expand(rules.index.output.index, variant=targets.clips)
EXCLUDED = expand(rules.index.output.excluded, variant=targets.clips)
EXCLUSIONS = expand(rules.index.output.summary, variant=targets.clips)
FACES = expand(rules.extract.output.faces, variant=targets.clips, shard=targets.shards)
# By architecture. Written once: every job of every model asks.
INDEX_OF = {
    name: expand(rules.index.output.index, variant=ending)
    for name, ending in targets.endings.items()
}
