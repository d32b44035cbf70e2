# From videos or pictures to clips of faces: sharded, cut once per data set and variant.
from facebias.stages.data import Index

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
        environment("locate")
    threads: 1
    resources:
        **needs("locate"),
    params:
        code=sources("locate"),
        settings=slices.locating,
        files=FILES,
    shell:
        command("locate")


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
        environment("extract")
    threads: 1
    resources:
        **needs("extract"),
    params:
        code=sources("extract"),
        settings=slices.clips,
        files=FILES,
    shell:
        command("extract")


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
        environment("index")
    threads: 1
    resources:
        **needs("index"),
    params:
        code=sources("index"),
        settings=constant(Index.Settings(data=STUDY.data)),
    shell:
        command("index")


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
