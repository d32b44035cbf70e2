# From heatmaps to where on the face they lie, and for which group of people elsewhere.


rule relevance:
    """Measure the heatmaps of one model in the regions of the face."""
    input:
        relevance=rules.explain.output.relevance,
        table=rules.explain.output.table,
        index=clips_of,
        landmarks=FILMS or GIVEN_LANDMARKS,
    output:
        table=f"{OUT}/relevance/{{method}}/{MODEL}.parquet",
        maps=f"{OUT}/relevance/{{method}}/{MODEL}.npz",
    log:
        f"{OUT}/logs/relevance/{{method}}/{MODEL}.log",
    benchmark:
        f"{OUT}/benchmarks/relevance/{{method}}/{MODEL}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        code=sources("relevance"),
        settings=constant(units=STUDY.explanation.units),
        landmarks=[f"{films}/truth.parquet" for films in FILMS] or GIVEN_LANDMARKS,
    shell:
        "python -m facebias relevance --settings {params.settings:q}"
        " --explanations {input.table:q} --relevance {input.relevance:q} --index {input.index:q}"
        " --landmarks {params.landmarks:q} --maps {output.maps:q} --out {output.table:q} 2> {log:q}"


rule relevance_gaps:
    """Compare the relevance of all explained models between groups."""
    input:
        manifest=rules.manifest.output.manifest,
        explanations=rules.gather_explanations.output,
        relevance=expand(rules.relevance.output.table, **targets.explained_models),
    output:
        means=f"{OUT}/tables/relevance.csv",
        gaps=f"{OUT}/tables/relevance_gaps.csv",
        joint=f"{OUT}/tables/relevance_joint.csv",
    log:
        f"{OUT}/logs/relevance_gaps.log",
    benchmark:
        f"{OUT}/benchmarks/relevance_gaps.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        code=sources("relevance_gaps"),
        settings=constant(
            labels=slices.unfused,
            evaluation=STUDY.evaluation,
            questions=PREPARED.questions,
            # A second method asks the same questions: the first one's answers are declared.
            method=targets.methods[0],
            compared_by=targets.compared_by,
            architectures=[name for name in targets.explained if name in targets.declared],
        ),
    shell:
        "python -m facebias relevance_gaps --settings {params.settings:q}"
        " --manifest {input.manifest:q} --explanations {input.explanations:q}"
        " --relevance {input.relevance:q} --means {output.means:q} --gaps {output.gaps:q}"
        " --joint {output.joint:q} 2> {log:q}"


if targets.explained:
    HEATMAPS += rules.relevance_gaps.output
