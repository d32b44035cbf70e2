# Published studies: recomputed from their printed tables, and placed beside a study of ours.
# Everything but the comparison needs no data set, no weights and no models.
from facebias.published import papers
from facebias.stages.report import NumberedTables, PublishedComparison

REPLICATIONS = os.path.relpath(papers.FOLDER)
REPLICATION = f"{REPLICATIONS}/{{paper}}"
PUBLISHED = f"{STUDY.results}/published/{{paper}}"
NONE = "(?!)"  # where there is none of a kind
OF_CLASSES, OF_UNITS = papers.of_kind("classes"), papers.of_kind("units")


rule published_classes:
    """Recompute the gaps of a paper on classes, audit its tables and check its statements."""
    input:
        paper=f"{REPLICATION}/{papers.PAPER}",
        page=f"{REPLICATION}/{papers.PAGE}",
        values=f"{REPLICATION}/{papers.PRINTED}",
        contrasts=f"{REPLICATION}/{papers.CONTRASTS}",
        rankings=f"{REPLICATION}/{papers.RANKINGS}",
    output:
        fairness=f"{PUBLISHED}/fairness.csv",
        intervals=f"{PUBLISHED}/intervals.csv",
        extremes=f"{PUBLISHED}/extremes.csv",
        audit=f"{PUBLISHED}/audit.csv",
        redrawn=f"{PUBLISHED}/redrawn.csv",
        statements=f"{PUBLISHED}/statements.csv",
        contrasts=f"{PUBLISHED}/contrasts.csv",
        page=f"{PUBLISHED}/README.md",
    log:
        f"{PUBLISHED}/logs/tables.log",
    benchmark:
        f"{PUBLISHED}/benchmarks/tables.tsv"
    wildcard_constraints:
        paper="|".join(OF_CLASSES) or NONE,
    conda:
        environment("published")
    threads: 1
    resources:
        **needs("published"),
    params:
        code=sources("published"),
        replication=subpath(input.paper, parent=True),
        folder=subpath(output.page, parent=True),
    shell:
        command("published")


rule published_units:
    """Recompute the differences of a paper on Action Units and check its statements."""
    input:
        paper=f"{REPLICATION}/{papers.PAPER}",
        page=f"{REPLICATION}/{papers.PAGE}",
        values=f"{REPLICATION}/{papers.PRINTED}",
        contrasts=f"{REPLICATION}/{papers.CONTRASTS}",
    output:
        differences=f"{PUBLISHED}/differences.csv",
        contrasts=f"{PUBLISHED}/contrasts.csv",
        page=f"{PUBLISHED}/README.md",
    log:
        f"{PUBLISHED}/logs/tables.log",
    benchmark:
        f"{PUBLISHED}/benchmarks/tables.tsv"
    wildcard_constraints:
        paper="|".join(OF_UNITS) or NONE,
    conda:
        environment("published")
    threads: 1
    resources:
        **needs("published"),
    params:
        code=sources("published"),
        replication=subpath(input.paper, parent=True),
        folder=subpath(output.page, parent=True),
    shell:
        command("published")


# Nothing of a study that is beside no published one.
COMPARISON, NUMBERED_PRINTED = [], []

if STUDY.published is not None:
    OWN = f"{REPLICATIONS}/{STUDY.published}"

    rule published_comparison:
        """Place this study beside the published one."""
        input:
            paper=f"{OWN}/{papers.PAPER}",
            values=f"{OWN}/{papers.PRINTED}",
            # Classes are compared by their gaps, units by their scores and the differences of these.
            ours=(
                rules.gather_metrics.output
                if targets.is_of_units
                else rules.gather_fairness.output
            ),
        output:
            report(
                f"{OUT}/tables/published_comparison.csv",
                caption="../report/table_published_comparison.rst",
                category="9. Beside the published study",
                labels={"table": "ours beside published"},
            ),
        log:
            f"{OUT}/logs/published_comparison.log",
        benchmark:
            f"{OUT}/benchmarks/published_comparison.tsv"
        conda:
            environment("published_comparison")
        threads: 1
        resources:
            **needs("published_comparison"),
        params:
            code=sources("published_comparison"),
            replication=OWN,
            settings=constant(
                PublishedComparison.Settings(
                    drawn=targets.is_drawn,
                    confidence=STUDY.evaluation.confidence,
                )
            ),
        shell:
            command("published_comparison")

    COMPARISON = rules.published_comparison.output
    # A paper's own tables and figures, with the numbers of this study.
    NUMBERED = f"10. {STUDY.published}, number by number"

    rule print_numbered:
        """Write the tables of the published study under their numbers."""
        input:
            paper=f"{OWN}/{papers.PAPER}",
            metrics=rules.gather_metrics.output,
        output:
            tex=[
                f"{OUT}/tables/{STUDY.published}_table_{number}.tex"
                for number in targets.numbered_tables
            ],
            csv=[
                report(
                    f"{OUT}/tables/{STUDY.published}_table_{number}.csv",
                    caption="../report/table_numbered.rst",
                    category=NUMBERED,
                    labels={"table": f"table {number:02}", "shows": item.shows},
                )
                for number, item in targets.numbered_tables.items()
            ],
        log:
            f"{OUT}/logs/print/numbered.log",
        benchmark:
            f"{OUT}/benchmarks/print/numbered.tsv"
        conda:
            environment("numbered_tables")
        threads: 1
        resources:
            **needs("numbered_tables"),
        params:
            code=sources("numbered_tables"),
            replication=OWN,
            settings=constant(
                NumberedTables.Settings(
                    numbers=tuple(targets.numbered_tables),
                    trainings={
                        name: {
                            key: getattr(STUDY.architectures[name].training, key)
                            for key in ("learning_rate", "batch_size", "weight_decay")
                        }
                        for name in targets.declared
                    },
                )
            ),
            folder=subpath(output[0], parent=True),
        shell:
            command("numbered_tables")

    NUMBERED_PRINTED = rules.print_numbered.output.tex
