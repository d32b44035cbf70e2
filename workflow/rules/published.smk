# Published studies: recomputed from their printed tables, and placed beside a study of ours.
# Everything but the comparison needs no data set, no weights and no models.
from facebias.stages.report import NumberedTables, PublishedComparison

PUBLISHED = f"{STUDY.results}/published"
PRINTED_VALUES = os.path.relpath(Path(PACKAGE_ROOT, "published"))
PAGES = os.path.relpath(Path(PACKAGE_ROOT, "facebias", "published"))


rule published_domnich2021:
    """Recompute the gaps of study A, audit its tables and check its statements."""
    input:
        template=f"{PAGES}/domnich2021.md.jinja",
        values=f"{PRINTED_VALUES}/domnich2021.csv",
        contrasts=f"{PRINTED_VALUES}/domnich2021_contrasts.csv",
        rankings=f"{PRINTED_VALUES}/domnich2021_rankings.csv",
    output:
        fairness=f"{PUBLISHED}/domnich2021/fairness.csv",
        intervals=f"{PUBLISHED}/domnich2021/intervals.csv",
        extremes=f"{PUBLISHED}/domnich2021/extremes.csv",
        audit=f"{PUBLISHED}/domnich2021/audit.csv",
        redrawn=f"{PUBLISHED}/domnich2021/redrawn.csv",
        statements=f"{PUBLISHED}/domnich2021/statements.csv",
        contrasts=f"{PUBLISHED}/domnich2021/contrasts.csv",
        page=f"{PUBLISHED}/domnich2021/README.md",
    log:
        f"{PUBLISHED}/domnich2021/logs/tables.log",
    benchmark:
        f"{PUBLISHED}/domnich2021/benchmarks/tables.tsv"
    conda:
        environment("published")
    threads: 1
    resources:
        **needs("published"),
    params:
        code=sources("published"),
        paper="domnich2021",
        folder=subpath(output.page, parent=True),
    shell:
        command("published")


rule published_deuschel2020:
    """Recompute the differences of study B and check its statements."""
    input:
        template=f"{PAGES}/deuschel2020.md.jinja",
        values=f"{PRINTED_VALUES}/deuschel2020.csv",
        contrasts=f"{PRINTED_VALUES}/deuschel2020_contrasts.csv",
        rankings=[],
    output:
        differences=f"{PUBLISHED}/deuschel2020/differences.csv",
        contrasts=f"{PUBLISHED}/deuschel2020/contrasts.csv",
        page=f"{PUBLISHED}/deuschel2020/README.md",
    log:
        f"{PUBLISHED}/deuschel2020/logs/tables.log",
    benchmark:
        f"{PUBLISHED}/deuschel2020/benchmarks/tables.tsv"
    conda:
        environment("published")
    threads: 1
    resources:
        **needs("published"),
    params:
        code=sources("published"),
        paper="deuschel2020",
        folder=subpath(output.page, parent=True),
    shell:
        command("published")


# Nothing of a study that is beside no published one.
COMPARISON, NUMBERED_PRINTED = [], []

if STUDY.published is not None:

    rule published_comparison:
        """Place this study beside the published one."""
        input:
            values=f"{PRINTED_VALUES}/{STUDY.published}.csv",
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
            settings=constant(
                PublishedComparison.Settings(
                    published=STUDY.published,
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
            settings=constant(
                NumberedTables.Settings(
                    published=STUDY.published,
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
