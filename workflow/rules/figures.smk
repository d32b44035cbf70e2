# From tidy tables to figures: PDF for print, PNG for the screen, CSV with every number drawn.
FIGURE = f"{OUT}/figures"


rule figure_confusion:
    """Draw the confusion matrices of all architectures for one train and test split."""
    input:
        table=rules.gather_confusion.output,
    output:
        pdf=f"{FIGURE}/confusion/{{train_split}}_{{test_split}}.pdf",
        csv=f"{FIGURE}/confusion/{{train_split}}_{{test_split}}.csv",
        png=report(
            f"{FIGURE}/confusion/{{train_split}}_{{test_split}}.png",
            caption="../report/confusion.rst",
            category="3. Confusion matrices",
            labels={"trained on": "{train_split}", "tested on": "{test_split}"},
        ),
    log:
        f"{OUT}/logs/figures/confusion/{{train_split}}_{{test_split}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/confusion/{{train_split}}_{{test_split}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("confusion"),
        settings=FIGURE_SETTINGS,
        declared=DECLARED,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure confusion --settings {params.settings:q}"
        " --keep {params.declared} --input confusion={input.table}"
        " --select train_split={wildcards.train_split} test_split={wildcards.test_split}"
        " --out {params.stem} 2> {log}"


rule figure_rates:
    """Draw one metric per label and test split, with intervals over subjects."""
    input:
        table=rules.gather_metrics.output,
    output:
        pdf=f"{FIGURE}/rates/{{metric}}.pdf",
        csv=f"{FIGURE}/rates/{{metric}}.csv",
        png=report(
            f"{FIGURE}/rates/{{metric}}.png",
            caption="../report/rates.rst",
            category="2. Accuracy and rates",
            labels={"metric": "{metric}"},
        ),
    log:
        f"{OUT}/logs/figures/rates/{{metric}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/rates/{{metric}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("rates"),
        settings=FIGURE_SETTINGS,
        declared=DECLARED,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure rates --settings {params.settings:q}"
        " --keep {params.declared} --input metrics={input.table} --select metric={wildcards.metric}"
        " --out {params.stem} 2> {log}"


rule figure_rates_by_group:
    """Draw one metric per label for the groups of one attribute, whatever test splits there are."""
    input:
        table=rules.gather_metrics_by_group.output,
    output:
        pdf=f"{FIGURE}/rates_by_group/{{attribute}}/{{metric}}.pdf",
        csv=f"{FIGURE}/rates_by_group/{{attribute}}/{{metric}}.csv",
        png=report(
            f"{FIGURE}/rates_by_group/{{attribute}}/{{metric}}.png",
            caption="../report/rates_by_group.rst",
            category="2. Accuracy and rates",
            labels={"metric": "{metric}, by {attribute}"},
        ),
    log:
        f"{OUT}/logs/figures/rates_by_group/{{attribute}}/{{metric}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/rates_by_group/{{attribute}}/{{metric}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("rates_by_group"),
        settings=FIGURE_SETTINGS,
        declared=DECLARED,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure rates_by_group --settings {params.settings:q}"
        " --keep {params.declared:q} --input metrics_by_group={input.table:q}"
        " --select attribute={wildcards.attribute:q} metric={wildcards.metric:q}"
        " --out {params.stem:q} 2> {log:q}"


rule figure_gaps:
    """Draw the gaps between the groups of one attribute, with intervals over subjects."""
    input:
        table=rules.gather_fairness.output,
    output:
        pdf=f"{FIGURE}/gaps/{{attribute}}.pdf",
        csv=f"{FIGURE}/gaps/{{attribute}}.csv",
        png=report(
            f"{FIGURE}/gaps/{{attribute}}.png",
            caption="../report/gaps.rst",
            category="1. Gaps between groups",
            labels={"attribute": "{attribute}", "gaps": "sizes"},
        ),
    log:
        f"{OUT}/logs/figures/gaps/{{attribute}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/gaps/{{attribute}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("gaps"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure gaps --settings {params.settings:q}"
        " --input fairness={input.table} --select attribute={wildcards.attribute}"
        " --out {params.stem} 2> {log}"


rule figure_gaps_signed:
    """Draw the signed gaps: which group is at a disadvantage, with intervals over subjects."""
    input:
        table=rules.gather_fairness.output,
    output:
        pdf=f"{FIGURE}/gaps_signed/{{attribute}}.pdf",
        csv=f"{FIGURE}/gaps_signed/{{attribute}}.csv",
        png=report(
            f"{FIGURE}/gaps_signed/{{attribute}}.png",
            caption="../report/gaps_signed.rst",
            category="1. Gaps between groups",
            labels={"attribute": "{attribute}", "gaps": "signed"},
        ),
    log:
        f"{OUT}/logs/figures/gaps_signed/{{attribute}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/gaps_signed/{{attribute}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("gaps_signed"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure gaps_signed --settings {params.settings:q}"
        " --input fairness={input.table} --select attribute={wildcards.attribute}"
        " --out {params.stem} 2> {log}"


rule figure_gaps_labels:
    """Draw the gaps of single labels: in which of them groups are treated differently."""
    input:
        table=rules.gather_fairness.output,
    output:
        pdf=f"{FIGURE}/gaps_labels/{{attribute}}.pdf",
        csv=f"{FIGURE}/gaps_labels/{{attribute}}.csv",
        png=report(
            f"{FIGURE}/gaps_labels/{{attribute}}.png",
            caption="../report/gaps_labels.rst",
            category="1. Gaps between groups",
            labels={"attribute": "{attribute}", "gaps": "label by label"},
        ),
    log:
        f"{OUT}/logs/figures/gaps_labels/{{attribute}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/gaps_labels/{{attribute}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("gaps_labels"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure gaps_labels --settings {params.settings:q}"
        " --input fairness={input.table:q} --select attribute={wildcards.attribute:q}"
        " --out {params.stem:q} 2> {log:q}"


use rule gather_metrics as cell_histories with:
    input:
        cells=expand(rules.train_model.output.history, fold=FOLDS, seed=SEEDS, allow_missing=True),
    output:
        f"{OUT}/models/{TRAINED}/history.csv",
    log:
        f"{OUT}/logs/gather/histories/{TRAINED}.log",
    benchmark:
        f"{OUT}/benchmarks/gather/histories/{TRAINED}.tsv"
    params:
        code=sources("gather"),
        table="history",


rule figure_curves:
    """Draw the training curves of all models."""
    input:
        histories=expand(
            rules.cell_histories.output, architecture=ARCHITECTURES, train_split=TRAIN_SPLITS
        ),
    output:
        pdf=f"{FIGURE}/curves.pdf",
        csv=f"{FIGURE}/curves.csv",
        png=report(
            f"{FIGURE}/curves.png",
            caption="../report/curves.rst",
            category="5. Training",
            labels={"figure": "loss and accuracy by epoch"},
        ),
    log:
        f"{OUT}/logs/figures/curves.log",
    benchmark:
        f"{OUT}/benchmarks/figures/curves.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("curves"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
        histories=expand(
            f"{TRAINED}={rules.cell_histories.output}",
            architecture=ARCHITECTURES,
            train_split=TRAIN_SPLITS,
        ),
    shell:
        "python -m facebias figure curves --settings {params.settings:q}"
        " --input {params.histories} --out {params.stem} 2> {log}"


rule figure_exclusions:
    """Draw how many samples of each group were given, used and left out."""
    input:
        table=rules.index.output.summary,
    output:
        pdf=f"{FIGURE}/exclusions{{variant}}.pdf",
        csv=f"{FIGURE}/exclusions{{variant}}.csv",
        png=report(
            f"{FIGURE}/exclusions{{variant}}.png",
            caption="../report/exclusions.rst",
            category="6. Data",
            labels={"figure": "samples left out of clips{variant}"},
        ),
    log:
        f"{OUT}/logs/figures/exclusions{{variant}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/exclusions{{variant}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("exclusions"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure exclusions --settings {params.settings:q}"
        " --input exclusions={input.table} --out {params.stem} 2> {log}"


rule figure_occurrences:
    """Draw how often each unit occurs, and from how many samples it is trained."""
    input:
        table=UNITS,
    output:
        pdf=f"{FIGURE}/occurrences.pdf",
        csv=f"{FIGURE}/occurrences.csv",
        png=report(
            f"{FIGURE}/occurrences.png",
            caption="../report/occurrences.rst",
            category="6. Data",
            labels={"figure": "occurrences of units"},
        ),
    log:
        f"{OUT}/logs/figures/occurrences.log",
    benchmark:
        f"{OUT}/benchmarks/figures/occurrences.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("occurrences"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure occurrences --settings {params.settings:q}"
        " --input units={input.table} --out {params.stem} 2> {log}"


rule figure_subjects:
    """Draw who trains, validates and tests, by group of one attribute."""
    input:
        splits=rules.gather_splits.output,
        manifest=rules.manifest.output.manifest,
    output:
        pdf=f"{FIGURE}/subjects/{{attribute}}.pdf",
        csv=f"{FIGURE}/subjects/{{attribute}}.csv",
        png=report(
            f"{FIGURE}/subjects/{{attribute}}.png",
            caption="../report/subjects.rst",
            category="6. Data",
            labels={"figure": "subjects by {attribute}"},
        ),
    log:
        f"{OUT}/logs/figures/subjects/{{attribute}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/subjects/{{attribute}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("subjects"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure subjects --settings {params.settings:q}"
        " --input splits={input.splits} manifest={input.manifest}"
        " --select attribute={wildcards.attribute} --out {params.stem} 2> {log}"


FIGURES = [
    *expand(rules.figure_gaps_signed.output.png, attribute=ATTRIBUTES),
    *expand(rules.figure_gaps_labels.output.png, attribute=ATTRIBUTES),
    *expand(rules.figure_gaps.output.png, attribute=ATTRIBUTES),
    *expand(rules.figure_rates.output.png, metric=RATES),
    *expand(rules.figure_rates_by_group.output.png, attribute=ATTRIBUTES, metric=GROUP_RATES),
    *expand(
        rules.figure_confusion.output.png, own, train_split=TRAIN_SPLITS, test_split=TEST_SPLITS
    ),
    rules.figure_curves.output.png,
    *expand(rules.figure_subjects.output.png, attribute=RECORDED),
    *expand(rules.figure_exclusions.output.png, variant=CLIPS),
    *([rules.figure_occurrences.output.png] if OF_UNITS else []),
]
