# From videos or pictures to clips of faces: sharded, cut once per data set.


rule extract:
    """Decode, pick key frames and cut the faces of one shard of the samples."""
    input:
        manifest=rules.manifest.output.manifest,
        films=FILMS,
    output:
        faces=f"{OUT}/clips/shard-{{shard}}.npy",
        index=f"{OUT}/clips/shard-{{shard}}.parquet",
    log:
        f"{OUT}/logs/extract/{{shard}}.log",
    benchmark:
        f"{OUT}/benchmarks/extract/{{shard}}.tsv"
    conda:
        "../../envs/clips.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        code=sources("extract"),
        settings=constant(clips=STUDY.clips),
        files=FILES,
    shell:
        "python -m facebias extract --settings {params.settings:q} --manifest {input.manifest}"
        " --shard {wildcards.shard} --out {output.faces} --index {output.index} 2> {log}"


rule index:
    """Gather the clips of all shards; count what was left out, by group."""
    input:
        manifest=rules.manifest.output.manifest,
        excluded=rules.manifest.output.excluded,
        faces=expand(rules.extract.output.faces, shard=CLIP_SHARDS),
        shards=expand(rules.extract.output.index, shard=CLIP_SHARDS),
    output:
        index=f"{OUT}/clips/index.parquet",
        excluded=f"{OUT}/data/excluded.csv",
        summary=f"{OUT}/tables/exclusions.csv",
    log:
        f"{OUT}/logs/index.log",
    benchmark:
        f"{OUT}/benchmarks/index.tsv"
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
        "python -m facebias index --settings {params.settings:q} --manifest {input.manifest}"
        " --excluded {input.excluded} --shards {input.shards} --out {output.index}"
        " --excluded-out {output.excluded} --summary {output.summary} 2> {log}"
