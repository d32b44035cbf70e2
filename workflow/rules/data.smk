# From a data set to its manifest. Drawn people are filmed first.
from facebias.stages.clips import Draw
from facebias.stages.data import Landmarks, Manifest

FILMS = [f"{OUT}/data/drawn/shard-{shard}" for shard in targets.drawn_shards]
# Those that the study names, else those that its data set ships.
GIVEN_LANDMARKS = [f"{OUT}/data/landmarks.parquet"] if datasets.has_landmarks(STUDY.data) else []
if STUDY.explanation.landmarks:
    GIVEN_LANDMARKS = [str(Path(PREPARED.root, STUDY.explanation.landmarks))]
# Of a study of units: how often each occurs.
UNITS = f"{OUT}/data/units.csv"


rule resolve:
    """Write the configuration with every default filled in."""
    output:
        f"{OUT}/config.yaml",
    log:
        f"{OUT}/logs/resolve.log",
    benchmark:
        f"{OUT}/benchmarks/resolve.tsv"
    conda:
        environment("resolve")
    threads: 1
    resources:
        **needs("resolve"),
    params:
        # In the order of the file: figures and tables keep it, and so must a run of this copy.
        settings=unchanging(json.dumps({"study": PREPARED.resolved})),
    shell:
        command("resolve")


rule draw:
    """Draw one shard of the people and film them."""
    output:
        directory(f"{OUT}/data/drawn/shard-{{drawn_shard}}"),
    log:
        f"{OUT}/logs/draw/{{drawn_shard}}.log",
    benchmark:
        f"{OUT}/benchmarks/draw/{{drawn_shard}}.tsv"
    conda:
        environment("draw")
    threads: 1
    resources:
        **needs("draw"),
    params:
        code=sources("draw"),
        settings=constant(Draw.Settings(drawn=STUDY.data.drawn, labels=STUDY.labels.names)),
    shell:
        command("draw")


rule manifest:
    """List the samples with their labels, subjects and attributes."""
    input:
        given=datasets.given_tables(STUDY.data, PREPARED.root),
    output:
        **({"units": UNITS} if targets.is_of_units else {}),
        manifest=f"{OUT}/data/manifest.csv",
        excluded=f"{OUT}/data/manifest-excluded.csv",
    log:
        f"{OUT}/logs/manifest.log",
    benchmark:
        f"{OUT}/benchmarks/manifest.tsv"
    conda:
        environment("manifest")
    threads: 1
    resources:
        **needs("manifest"),
    params:
        code=sources("manifest", *datasets.modules(STUDY.data)),
        # The index looks at max_excluded, after the faces are cut.
        settings=constant(
            Manifest.Settings(
                data=dataclasses.replace(STUDY.data, max_excluded=1.0), labels=slices.unfused
            )
        ),
        root=PREPARED.root,
        files=FILES,
        units=UNITS if targets.is_of_units else [],
    shell:
        command("manifest")


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
        environment("landmarks")
    threads: 1
    resources:
        **needs("landmarks"),
    params:
        code=sources("landmarks", *datasets.modules(STUDY.data)),
        settings=constant(Landmarks.Settings(data=STUDY.data)),
        root=PREPARED.root,
        files=FILES,
    shell:
        command("landmarks")
