# From heatmaps to where on the face they lie, and for which group of people elsewhere.
from facebias.stages.evaluation import Relevance, RelevanceGaps


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
        environment("relevance")
    threads: 1
    resources:
        **needs("relevance"),
    params:
        code=sources("relevance"),
        settings=constant(Relevance.Settings(units=STUDY.explanation.units)),
        landmarks=[f"{films}/truth.parquet" for films in FILMS] or GIVEN_LANDMARKS,
    shell:
        command("relevance")


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
        environment("relevance_gaps")
    threads: 1
    resources:
        **needs("relevance_gaps"),
    params:
        code=sources("relevance_gaps"),
        settings=constant(
            RelevanceGaps.Settings(
                labels=slices.unfused,
                evaluation=STUDY.evaluation,
                questions=PREPARED.questions,
                # A second method asks the same questions: the first one's answers are declared.
                method=targets.methods[0],
                compared_by=targets.compared_by,
                architectures=tuple(
                    name for name in targets.explained if name in targets.declared
                ),
            )
        ),
    shell:
        command("relevance_gaps")


if targets.explained:
    HEATMAPS += rules.relevance_gaps.output
