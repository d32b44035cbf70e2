# From tables to what is read: tables for print, the first page, one HTML report.
PRINT = f"{OUT}/tables/print"


rule start_page:
    """Write the first page: what was run, what was found, how sure one can be."""
    input:
        code=sources("start_page"),
        template=f"{PACKAGE_ROOT}/facebias/report/start_page.html.jinja",
        metrics=rules.gather_metrics.output,
        fairness=rules.gather_fairness.output,
        exclusions=rules.index.output.summary,
        splits=rules.split.output,
        manifest=rules.manifest.output.manifest,
    output:
        report(
            f"{OUT}/report/start_page.html",
            caption="../report/start_page.rst",
            category="0. Start here",
            labels={"page": "what was run, what was found, how sure one can be"},
        ),
    params:
        settings=START_PAGE_SETTINGS,
    log:
        f"{OUT}/logs/start_page.log",
    benchmark:
        f"{OUT}/benchmarks/start_page.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    conda:
        "../../envs/analysis.yaml"
    shell:
        "python -m facebias start_page --settings {params.settings:q}"
        " --metrics {input.metrics} --fairness {input.fairness}"
        " --exclusions {input.exclusions} --splits {input.splits}"
        " --manifest {input.manifest} --out {output} 2> {log}"
