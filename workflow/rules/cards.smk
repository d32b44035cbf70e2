# From tables and records to a card per architecture: what it is, whom it was tested on, how it did.


# Relative, so that a clone elsewhere plans the same jobs.
CARD = os.path.relpath(Path(PACKAGE_ROOT, "facebias/presentation/record/model_card"))


rule model_card:
    """Write the card of one architecture, and its metrics by group of people."""
    input:
        templates=expand(f"{CARD}.{{kind}}.jinja", kind=["md", "html"]),
        manifest=rules.manifest.output.manifest,
        excluded=excluded_of,
        splits=rules.gather_splits.output,
        # What training wrote is read, too: the tables are made from it.
        metrics=rules.gather_metrics.output,
        by_group=rules.gather_metrics_by_group.output,
        fairness=rules.gather_fairness.output,
    output:
        markdown=f"{OUT}/provenance/model_cards/{{architecture}}.md",
        table=f"{OUT}/provenance/model_cards/{{architecture}}.csv",
        html=report(
            f"{OUT}/provenance/model_cards/{{architecture}}.html",
            caption="../report/model_card.rst",
            category="8. Model cards",
            labels={"architecture": "{architecture}"},
        ),
    log:
        f"{OUT}/logs/model_card/{{architecture}}.log",
    benchmark:
        f"{OUT}/benchmarks/model_card/{{architecture}}.tsv"
    conda:
        environment("model_card")
    threads: 1
    resources:
        **needs("model_card"),
    params:
        code=sources("model_card"),
        settings=card_settings,
        stem=subpath(output.markdown, strip_suffix=".md"),
    shell:
        command("model_card")


CARDS = expand(rules.model_card.output.html, architecture=targets.architectures)
