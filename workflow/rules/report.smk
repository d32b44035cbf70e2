# From tables to what is read: tables for print, the first page, one HTML report.
from facebias.stages.report import StartPage


rule print_metrics:
    """Write the metrics of one train and test split as LaTeX, and as a wide CSV."""
    input:
        table=rules.gather_metrics.output,
    output:
        tex=f"{OUT}/tables/print/metrics_{{train_split}}_{{test_split}}.tex",
        csv=report(
            f"{OUT}/tables/print/metrics_{{train_split}}_{{test_split}}.csv",
            caption="../report/table_metrics.rst",
            category="7. Tables",
            labels={"table": "metrics, {train_split} on {test_split}"},
        ),
    log:
        f"{OUT}/logs/print/metrics_{{train_split}}_{{test_split}}.log",
    benchmark:
        f"{OUT}/benchmarks/print/metrics_{{train_split}}_{{test_split}}.tsv"
    conda:
        environment("print_table")
    threads: 1
    resources:
        **needs("print_table"),
    params:
        code=sources("print_table"),
        kind="metrics",
        select=printed_cell,
    shell:
        command("print_table")


rule print_fairness:
    """Write the gaps of one attribute as LaTeX, and as a wide CSV."""
    input:
        table=rules.gather_fairness.output,
    output:
        tex=f"{OUT}/tables/print/fairness_{{attribute}}.tex",
        csv=report(
            f"{OUT}/tables/print/fairness_{{attribute}}.csv",
            caption="../report/table_fairness.rst",
            category="7. Tables",
            labels={"table": "gaps by {attribute}"},
        ),
    log:
        f"{OUT}/logs/print/fairness_{{attribute}}.log",
    benchmark:
        f"{OUT}/benchmarks/print/fairness_{{attribute}}.tsv"
    conda:
        environment("print_table")
    threads: 1
    resources:
        **needs("print_table"),
    params:
        code=sources("print_table"),
        kind="fairness",
        select=printed_gaps,
    shell:
        command("print_table")


PRINTED = [
    *expand(
        rules.print_metrics.output.tex,
        targets.own,
        train_split=targets.train_splits,
        test_split=targets.test_splits,
    ),
    *expand(rules.print_fairness.output.tex, attribute=targets.attributes),
    *NUMBERED_PRINTED,
]


rule start_page:
    """Write the first page: what was run, what was found, how sure one can be."""
    input:
        template=os.path.relpath(
            f"{PACKAGE_ROOT}/facebias/presentation/report/start_page.html.jinja"
        ),
        metrics=rules.gather_metrics.output,
        by_group=rules.gather_metrics_by_group.output,
        fairness=rules.gather_fairness.output,
        confounds=rules.confounds.output,
        effects=EFFECTS,
        exclusions=expand(rules.index.output.summary, variant=targets.first_clips),
        excluded=expand(rules.index.output.excluded, variant=targets.first_clips),
        splits=rules.gather_splits.output,
        manifest=rules.manifest.output.manifest,
    output:
        report(
            f"{OUT}/report/start_page.html",
            caption="../report/start_page.rst",
            category="0. Start here",
            labels={"page": "what was run, what was found, how sure one can be"},
        ),
    log:
        f"{OUT}/logs/start_page.log",
    benchmark:
        f"{OUT}/benchmarks/start_page.tsv"
    conda:
        environment("start_page")
    threads: 1
    resources:
        **needs("start_page"),
    params:
        code=sources("start_page"),
        settings=constant(
            StartPage.Settings(
                study=STUDY.study,
                title=STUDY.title,
                data=STUDY.data,
                labels=STUDY.labels,
                evaluation=STUDY.evaluation,
                seeds=STUDY.seeds,
                folds=len(targets.folds),
                architectures=targets.architectures,
                train_splits=targets.train_splits,
                test_splits=targets.test_splits,
                matched=targets.matched,
                questions=PREPARED.questions,
            )
        ),
    shell:
        command("start_page")


rule report:
    """Put the first page, figures and tables into one HTML file that needs nothing beside it."""
    input:
        config=rules.resolve.output,
        captions=sorted(map(os.path.relpath, Path(PACKAGE_ROOT, "report").glob("*.rst"))),
        page=rules.start_page.output,
        figures=FIGURES,
        printed=PRINTED,
        cards=CARDS,
    output:
        f"{OUT}/report.html",
    log:
        f"{OUT}/logs/report.log",
    benchmark:
        f"{OUT}/benchmarks/report.tsv"
    conda:
        environment("record")
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        # Not the main one: as a module, that is another's, with another configuration.
        snakefile=os.path.relpath(Path(PACKAGE_ROOT).parent / "Snakefile"),
    shell:
        # Snakemake makes reports only from outside a workflow: it is called on the finished parts.
        "snakemake --snakefile {params.snakefile:q} --configfile {input.config:q} --nolock"
        " --report {output:q} -- {input.page:q} {input.figures:q} {input.printed:q} {input.cards:q}"
        " 2> {log:q}"
