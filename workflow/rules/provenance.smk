# From results to what made them: checksums, and a record of the study with an RO-Crate around it.
#
# The whole is remade when a result is; benchmark files are read, but are no inputs: they change
# only when a job runs, and then so does its result.
from facebias.stages.report import Record

TABLES = [
    *rules.gather_metrics.output,
    *rules.gather_metrics_by_group.output,
    *rules.gather_confusion.output,
    *rules.gather_fairness.output,
    *EFFECTS,
    *EXCLUSIONS,
    *(table for tables in DIAGNOSTICS for table in tables),
    *(rules.relevance_gaps.output if targets.explained else []),
]

# Files by what they belong to, under the folder of the study. Each part is digested on its own, so
# that a change of one architecture does not read the weights of all others again.
MODEL_FILES = [
    rules.train_model.output.weights,
    rules.train_model.output.history,
    rules.train_model.output.provenance,
    *rules.predict.output,
    *(rules.decide.output if targets.has_thresholds else []),
]
DIGESTED = {
    "data": [
        rules.manifest.output.manifest,
        *EXCLUDED,
        *rules.gather_splits.output,
        *INDEXES,
        *FACES,
    ],
    "results": [
        *TABLES,
        *PRINTED,
        *FIGURES,
        *rules.start_page.output,
        *rules.report.output,
    ],
    **{
        name: expand(MODEL_FILES, architecture=name, allow_missing=True)
        for name in targets.architectures
    },
}


rule checksums:
    """Write the SHA-256 of the files of one part of the study."""
    input:
        files=digested,
    output:
        f"{OUT}/provenance/checksums/{{part}}.sha256",
    log:
        f"{OUT}/logs/checksums/{{part}}.log",
    benchmark:
        f"{OUT}/benchmarks/checksums/{{part}}.tsv"
    wildcard_constraints:
        part="|".join(DIGESTED),
    conda:
        environment("checksums")
    threads: 1
    resources:
        **needs("checksums"),
    params:
        code=sources("checksums"),
        settings=digest_settings,
        root=subpath(output[0], ancestor=3),
    shell:
        command("checksums")


rule record:
    """Write what made the results of the study, and an RO-Crate around it."""
    input:
        config=rules.resolve.output,
        manifest=rules.manifest.output.manifest,
        excluded=expand(rules.index.output.excluded, variant=targets.first_clips),
        checksums=expand(rules.checksums.output, part=DIGESTED),
        tables=TABLES,
        cards=[
            *expand(rules.model_card.output.markdown, architecture=targets.architectures),
            *expand(rules.model_card.output.table, architecture=targets.architectures),
        ],
    output:
        record=f"{OUT}/provenance/record.json",
        crate=f"{OUT}/provenance/ro-crate-metadata.json",
        guide=f"{OUT}/provenance/README.md",
        config=f"{OUT}/provenance/config.yaml",
        tables=directory(f"{OUT}/provenance/tables"),
        code=directory(f"{OUT}/provenance/code"),
    log:
        f"{OUT}/logs/record.log",
    benchmark:
        f"{OUT}/benchmarks/record.tsv"
    conda:
        environment("record")
    threads: 1
    resources:
        **needs("record"),
    params:
        code=sources("record"),
        settings=constant(
            Record.Settings(
                provenance=str(rules.train_model.output.provenance),
                model_files=under_study(MODEL_FILES),
                benchmarks=benchmarks(),
                train_splits=targets.train_splits,
                files=FILES,
            )
        ),
        benchmarks=f"{OUT}/benchmarks",
        folder=subpath(output.record, parent=True),
    shell:
        command("record")
