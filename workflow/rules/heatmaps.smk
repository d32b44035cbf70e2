# Figures of the heatmaps themselves; regions.smk draws what is measured in them.


rule figure_heatmaps:
    """Draw the heatmaps of one model: best, median and worst test samples of each group."""
    input:
        relevance=first_fold(rules.explain.output.relevance),
        table=first_fold(rules.explain.output.table),
        located=first_fold(rules.relevance.output.table),
        manifest=rules.manifest.output.manifest,
        sanity=SANITY,
    output:
        pdf=f"{FIGURE}/heatmaps/{EXPLAINED_CELL}.pdf",
        csv=f"{FIGURE}/heatmaps/{EXPLAINED_CELL}.csv",
        png=report(
            f"{FIGURE}/heatmaps/{EXPLAINED_CELL}.png",
            caption="../report/heatmaps.rst",
            category="4. Heatmaps",
            labels={
                "architecture": "{architecture}",
                "trained on": "{train_split}",
                "method": "{method}",
            },
        ),
    log:
        f"{OUT}/logs/figures/heatmaps/{EXPLAINED_CELL}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/heatmaps/{EXPLAINED_CELL}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("heatmaps"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
        attribute=first_attribute,
        sanity=sanity,
        per_group=STUDY.explanation.per_group,
    shell:
        "python -m facebias figure heatmaps --settings {params.settings:q}"
        " --input explanations={input.table} relevance={input.relevance}"
        " located={input.located} manifest={input.manifest} {params.sanity}"
        " --select attribute={params.attribute} per_group={params.per_group}"
        " --out {params.stem} 2> {log}"


rule figure_conserved:
    """Draw how much of every explained output arrived at the pixels."""
    input:
        table=rules.gather_explanations.output,
    output:
        pdf=f"{FIGURE}/conserved.pdf",
        csv=f"{FIGURE}/conserved.csv",
        png=report(
            f"{FIGURE}/conserved.png",
            caption="../report/conserved.rst",
            category="4. Heatmaps",
            labels={"figure": "how much relevance arrives"},
        ),
    log:
        f"{OUT}/logs/figures/conserved.log",
    benchmark:
        f"{OUT}/benchmarks/figures/conserved.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("conserved"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure conserved --settings {params.settings:q}"
        " --input explanations={input.table} --out {params.stem} 2> {log}"


rule figure_randomisation:
    """Draw whether heatmaps change when the model is re-initialised from its top."""
    input:
        table=rules.gather_randomisation.output,
    output:
        pdf=f"{FIGURE}/randomisation.pdf",
        csv=f"{FIGURE}/randomisation.csv",
        png=report(
            f"{FIGURE}/randomisation.png",
            caption="../report/randomisation.rst",
            category="4. Heatmaps",
            labels={"figure": "heatmaps of re-initialised models"},
        ),
    log:
        f"{OUT}/logs/figures/randomisation.log",
    benchmark:
        f"{OUT}/benchmarks/figures/randomisation.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("randomisation"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure randomisation --settings {params.settings:q}"
        " --input randomisation={input.table} --out {params.stem} 2> {log}"


FIGURES += [
    *expand(rules.figure_heatmaps.output.png, **EVERY_EXPLAINED_MODEL),
    *([rules.figure_conserved.output.png] if EXPLAINED else []),
    *([rules.figure_randomisation.output.png] if RANDOMISED else []),
]
