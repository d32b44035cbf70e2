# Published studies: recomputed from their printed tables, and placed beside a study of ours.
# Everything but the comparison needs no data set, no weights and no models.
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
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=sources("published"),
        folder=subpath(output.page, parent=True),
    shell:
        "python -m facebias published domnich2021 --values {input.values}"
        " --contrasts {input.contrasts} --rankings {input.rankings}"
        " --out {params.folder} 2> {log}"


rule published_deuschel2020:
    """Recompute the differences of study B and check its statements."""
    input:
        template=f"{PAGES}/deuschel2020.md.jinja",
        values=f"{PRINTED_VALUES}/deuschel2020.csv",
        contrasts=f"{PRINTED_VALUES}/deuschel2020_contrasts.csv",
    output:
        differences=f"{PUBLISHED}/deuschel2020/differences.csv",
        contrasts=f"{PUBLISHED}/deuschel2020/contrasts.csv",
        page=f"{PUBLISHED}/deuschel2020/README.md",
    log:
        f"{PUBLISHED}/deuschel2020/logs/tables.log",
    benchmark:
        f"{PUBLISHED}/deuschel2020/benchmarks/tables.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=sources("published"),
        folder=subpath(output.page, parent=True),
    shell:
        "python -m facebias published deuschel2020 --values {input.values}"
        " --contrasts {input.contrasts} --out {params.folder} 2> {log}"


rule figure_published:
    """Draw the gaps of study A in three definitions, with what chance could have done to them."""
    input:
        table=rules.published_domnich2021.output.intervals,
    output:
        pdf=f"{PUBLISHED}/domnich2021/figures/gaps.pdf",
        csv=f"{PUBLISHED}/domnich2021/figures/gaps.csv",
        png=f"{PUBLISHED}/domnich2021/figures/gaps.png",
    log:
        f"{PUBLISHED}/domnich2021/logs/figures/gaps.log",
    benchmark:
        f"{PUBLISHED}/domnich2021/benchmarks/figures/gaps.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("published"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure published --settings {params.settings:q}"
        " --input intervals={input.table} --out {params.stem} 2> {log}"


NUMBERED_PRINTED = []

if STUDY.published is not None:

    # Classes are compared by their gaps, units by their scores and the differences of these.
    COMPARED, DEFINITIONS = {
        "classes": (
            rules.gather_fairness.output,
            ["published", "per_class_mean", "worst_class", "signed"],
        ),
        "units": (rules.gather_metrics.output, ["value", "difference"]),
    }[STUDY.labels.kind]

    rule published_comparison:
        """Place this study beside the published one."""
        input:
            values=f"{PRINTED_VALUES}/{STUDY.published}.csv",
            ours=COMPARED,
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
            "../../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(10),
        params:
            code=sources("published_comparison"),
            settings=constant(
                published=STUDY.published,
                drawn=DRAWN,
                confidence=STUDY.evaluation.confidence,
            ),
        shell:
            "python -m facebias published_comparison --settings {params.settings:q}"
            " --values {input.values} --ours {input.ours} --out {output} 2> {log}"

    rule figure_published_comparison:
        """Draw this study beside the published one, in one definition."""
        input:
            table=rules.published_comparison.output,
        output:
            pdf=f"{FIGURE}/published/{{definition}}.pdf",
            csv=f"{FIGURE}/published/{{definition}}.csv",
            png=report(
                f"{FIGURE}/published/{{definition}}.png",
                caption="../report/published_comparison.rst",
                category="9. Beside the published study",
                labels={"figure": "ours beside published, {definition}"},
            ),
        log:
            f"{OUT}/logs/figures/published/{{definition}}.log",
        benchmark:
            f"{OUT}/benchmarks/figures/published/{{definition}}.tsv"
        conda:
            "../../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(15),
        params:
            code=figure_sources("published_comparison"),
            settings=FIGURE_SETTINGS,
            stem=subpath(output.png, strip_suffix=".png"),
        shell:
            "python -m facebias figure published_comparison --settings {params.settings:q}"
            " --input comparison={input.table} --select definition={wildcards.definition}"
            " --out {params.stem} 2> {log}"

    FIGURES += expand(rules.figure_published_comparison.output.png, definition=DEFINITIONS)
    # A paper's own tables and figures, with the numbers of this study.
    NUMBERED = f"{OUT}/tables/{STUDY.published}_table_"
    CATEGORY = f"10. {STUDY.published}, number by number"
    # What each drawing reads, by the names that it has for its tables.
    DRAWN_FROM = {
        "confusion": {"confusion": rules.gather_confusion.output},
        "rates": {"metrics": rules.gather_metrics.output},
        "boxes": {"metrics": rules.gather_metrics.output},
        "gaps": {"fairness": rules.gather_fairness.output},
        "subjects": {
            "splits": rules.gather_splits.output,
            "manifest": rules.manifest.output.manifest,
        },
        "occurrences": {"units": UNITS},
        "heatmaps_unit": {
            "explanations": rules.explain.output.table,
            "relevance": rules.explain.output.relevance,
            "located": rules.relevance.output.table,
            "maps": rules.relevance.output.maps,
            "manifest": rules.manifest.output.manifest,
            **({"randomisation": SANITY[0]} if SANITY else {}),
        },
    }

    rule print_numbered:
        """Write the tables of the published study under their numbers."""
        input:
            metrics=rules.gather_metrics.output,
        output:
            tex=[f"{NUMBERED}{number}.tex" for number in NUMBERED_TABLES],
            csv=[
                report(
                    f"{NUMBERED}{number}.csv",
                    caption="../report/table_numbered.rst",
                    category=CATEGORY,
                    labels={"table": f"table {number:02}", "shows": item.shows},
                )
                for number, item in NUMBERED_TABLES.items()
            ],
        log:
            f"{OUT}/logs/print/numbered.log",
        benchmark:
            f"{OUT}/benchmarks/print/numbered.tsv"
        conda:
            "../../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(10),
        params:
            code=sources("numbered_tables"),
            settings=constant(
                published=STUDY.published,
                numbers=tuple(NUMBERED_TABLES),
                trainings={
                    name: {
                        key: getattr(STUDY.architectures[name].training, key)
                        for key in ("learning_rate", "batch_size", "weight_decay")
                    }
                    for name in DECLARED_ARCHITECTURES
                },
            ),
            folder=subpath(output[0], parent=True),
        shell:
            "python -m facebias numbered_tables --settings {params.settings:q}"
            " --metrics {input.metrics} --out {params.folder} 2> {log}"

    rule figure_numbered:
        """Draw one figure of the published study under its number."""
        input:
            unpack(numbered_inputs),
        output:
            pdf=f"{FIGURE}/{STUDY.published}_figure_{{number}}.pdf",
            csv=f"{FIGURE}/{STUDY.published}_figure_{{number}}.csv",
            png=report(
                f"{FIGURE}/{STUDY.published}_figure_{{number}}.png",
                caption="../report/numbered.rst",
                category=CATEGORY,
                labels={"figure": "figure {number}"},
            ),
        log:
            f"{OUT}/logs/figures/{STUDY.published}_figure_{{number}}.log",
        benchmark:
            f"{OUT}/benchmarks/figures/{STUDY.published}_figure_{{number}}.tsv"
        wildcard_constraints:
            number="|".join(map(str, NUMBERED_FIGURES)),
        conda:
            "../../envs/analysis.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(15),
        params:
            code=numbered_sources,
            settings=FIGURE_SETTINGS,
            drawing=numbered_drawing,
            options=numbered_options,
            stem=subpath(output.png, strip_suffix=".png"),
        shell:
            "python -m facebias figure {params.drawing} --settings {params.settings:q}"
            " {params.options:q} --out {params.stem} 2> {log}"

    FIGURES += expand(rules.figure_numbered.output.png, number=NUMBERED_FIGURES)
    NUMBERED_PRINTED = rules.print_numbered.output.tex
