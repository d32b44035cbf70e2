# From results to figures: PDF for print, PNG for the screen, CSV with every number drawn. Which kinds
# there are, and what each reads and shows, stands in facebias/presentation/figures/catalogue.py.
from facebias.stages.report import Figure

FIGURE = f"{OUT}/figures"
FIGURE_SETTINGS = constant(Figure.Settings(figures=STUDY.figures, labels=STUDY.labels))
# Of a model, figures show the first fold; groups are rows, so test splits need no own.
FIRST_FOLD = dict(fold=targets.folds[0], seed=targets.seeds[0], allow_missing=True)
# The files that figures read, by the names in the catalogue.
RESULTS = {
    "manifest": rules.manifest.output.manifest,
    "splits": rules.gather_splits.output,
    "units": UNITS,
    "exclusions": rules.index.output.summary,
    "confounds": rules.confounds.output,
    "histories": expand(
        rules.cell_histories.output,
        architecture=targets.architectures,
        train_split=targets.train_splits,
    ),
    "metrics": rules.gather_metrics.output,
    "metrics_by_group": rules.gather_metrics_by_group.output,
    "confusion": rules.gather_confusion.output,
    "fairness": rules.gather_fairness.output,
    "variance": rules.gather_variance.output,
    "redraws": rules.gather_redraws.output,
    "explanations": rules.gather_explanations.output,
    "randomisation": rules.gather_randomisation.output,
    # Figures of heatmaps say whether those fail the check, where there is one.
    "sanity": rules.gather_randomisation.output if targets.is_randomised else [],
    "explanations_of_model": expand(rules.explain.output.table, **FIRST_FOLD),
    "heatmaps_of_model": expand(rules.explain.output.relevance, **FIRST_FOLD),
    "relevance_of_model": expand(rules.relevance.output.table, **FIRST_FOLD),
    "maps_of_model": expand(rules.relevance.output.maps, **FIRST_FOLD),
    "relevance_of_train_split": expand(
        rules.relevance.output.table,
        architecture=targets.explained,
        fold=targets.folds,
        seed=targets.seeds[0],
        allow_missing=True,
    ),
    "relevance_means": rules.relevance_gaps.output.means,
    "relevance_gaps": rules.relevance_gaps.output.gaps,
    "relevance_joint": rules.relevance_gaps.output.joint,
    "published_comparison": COMPARISON,
}
# What figures select beside their wildcards, by the names in the catalogue.
SELECTED = {
    # Heatmaps of a train split are shown for the groups of its first attribute.
    "attribute": lambda wildcards: crossed(targets.compared_by[wildcards.train_split][0])[0],
    "per_group": lambda wildcards: str(STUDY.explanation.per_group),
    # In the order of the configuration, which the figure keeps.
    "variants": lambda wildcards: json.dumps(targets.variants),
}
# The rows of these; figures with a panel for every architecture have room for no more.
DECLARED = {"architecture": targets.declared}


for kind, figure in targets.figures.items():

    rule:
        """Draw the figures of one kind."""
        name:
            f"figure_{kind}"
        input:
            **figure.inputs(RESULTS),
        output:
            pdf=f"{FIGURE}/{figure.path}.pdf",
            csv=f"{FIGURE}/{figure.path}.csv",
            png=report(
                f"{FIGURE}/{figure.path}.png",
                caption=f"../report/{kind}.rst",
                category=figure.category,
                labels=figure.labels,
            ),
        log:
            f"{OUT}/logs/figures/{figure.path}.log",
        benchmark:
            f"{OUT}/benchmarks/figures/{figure.path}.tsv"
        group:
            "report"
        conda:
            environment("figure")
        threads: 1
        resources:
            **needs("figure"),
        params:
            code=sources("figure", figure.module),
            settings=FIGURE_SETTINGS,
            kind=kind,
            read=read(figure),
            select=selected(figure),
            keep=catalogue.pairs(DECLARED) if figure.declared else [],
            note=[],
            stem=subpath(output.png, strip_suffix=".png"),
        shell:
            command("figure")


FIGURES = [
    f"{FIGURE}/{figure.path}.png".format(**values)
    for figure in targets.figures.values()
    for values in targets.of(figure)
]


if targets.numbered_figures:

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
                category=NUMBERED,
                labels={"figure": "figure {number}"},
            ),
        log:
            f"{OUT}/logs/figures/{STUDY.published}_figure_{{number}}.log",
        benchmark:
            f"{OUT}/benchmarks/figures/{STUDY.published}_figure_{{number}}.tsv"
        wildcard_constraints:
            number="|".join(map(str, targets.numbered_figures)),
        group:
            "report"
        conda:
            environment("figure")
        threads: 1
        resources:
            **needs("figure"),
        params:
            code=numbered_sources,
            settings=FIGURE_SETTINGS,
            kind=numbered_kind,
            read=numbered_read,
            select=numbered_selected,
            keep=numbered_kept,
            note=numbered_note,
            stem=subpath(output.png, strip_suffix=".png"),
        shell:
            command("figure")

    FIGURES += expand(rules.figure_numbered.output.png, number=targets.numbered_figures)


rule figure_published:
    """Draw the gaps of a paper in three definitions, with what chance could have done to them."""
    input:
        intervals=rules.published_classes.output.intervals,
    output:
        pdf=f"{PUBLISHED}/figures/gaps.pdf",
        csv=f"{PUBLISHED}/figures/gaps.csv",
        png=f"{PUBLISHED}/figures/gaps.png",
    log:
        f"{PUBLISHED}/logs/figures/gaps.log",
    benchmark:
        f"{PUBLISHED}/benchmarks/figures/gaps.tsv"
    wildcard_constraints:
        paper="|".join(OF_CLASSES) or NONE,
    group:
        "report"
    conda:
        environment("figure")
    threads: 1
    resources:
        **needs("figure"),
    params:
        code=sources("figure", catalogue.FIGURES["published"].module),
        settings=FIGURE_SETTINGS,
        kind="published",
        read=read(catalogue.FIGURES["published"]),
        select=[],
        keep=[],
        note=[],
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        command("figure")
