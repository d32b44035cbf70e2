# From heatmaps to where on the face they lie, and for which group of people elsewhere.


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
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        code=sources("relevance"),
        settings=constant(units=STUDY.explanation.units),
        landmarks=[f"{films}/truth.parquet" for films in FILMS] or GIVEN_LANDMARKS,
    shell:
        "python -m facebias relevance --settings {params.settings:q}"
        " --explanations {input.table} --relevance {input.relevance} --index {input.index}"
        " --landmarks {params.landmarks:q} --maps {output.maps} --out {output.table} 2> {log}"


rule relevance_gaps:
    """Compare the relevance of all explained models between groups."""
    input:
        manifest=rules.manifest.output.manifest,
        explanations=rules.gather_explanations.output,
        relevance=expand(rules.relevance.output.table, **EVERY_EXPLAINED_MODEL),
    output:
        means=f"{OUT}/tables/relevance.csv",
        gaps=f"{OUT}/tables/relevance_gaps.csv",
        joint=f"{OUT}/tables/relevance_joint.csv",
    log:
        f"{OUT}/logs/relevance_gaps.log",
    benchmark:
        f"{OUT}/benchmarks/relevance_gaps.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        code=sources("relevance_gaps"),
        settings=constant(
            labels=UNFUSED,
            evaluation=STUDY.evaluation,
            questions=QUESTIONS,
            # A second method asks the same questions: the first one's answers are declared.
            method=METHODS[0],
            compared_by=COMPARED_BY,
            architectures=[
                name
                for name in EVERY_EXPLAINED_MODEL["architecture"]
                if name in DECLARED_ARCHITECTURES
            ],
        ),
    shell:
        "python -m facebias relevance_gaps --settings {params.settings:q}"
        " --manifest {input.manifest} --explanations {input.explanations}"
        " --relevance {input.relevance} --means {output.means} --gaps {output.gaps}"
        " --joint {output.joint} 2> {log}"


# The models of one method and train split, over folds.
OF_TRAIN_SPLIT = {
    **{name: EVERY_EXPLAINED_MODEL[name] for name in ("architecture", "fold", "seed")},
    "allow_missing": True,
}


rule figure_relevance_regions:
    """Draw how much relevance lies in each region of the face, by group."""
    input:
        table=rules.relevance_gaps.output.means,
    output:
        pdf=f"{FIGURE}/relevance_regions/{{method}}/{{attribute}}.pdf",
        csv=f"{FIGURE}/relevance_regions/{{method}}/{{attribute}}.csv",
        png=report(
            f"{FIGURE}/relevance_regions/{{method}}/{{attribute}}.png",
            caption="../report/relevance_regions.rst",
            category="4. Heatmaps",
            labels={"figure": "regions by {attribute}", "method": "{method}"},
        ),
    log:
        f"{OUT}/logs/figures/relevance_regions/{{method}}/{{attribute}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/relevance_regions/{{method}}/{{attribute}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("relevance_regions"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure relevance_regions --settings {params.settings:q}"
        " --input relevance={input.table}"
        " --select method={wildcards.method} attribute={wildcards.attribute}"
        " --out {params.stem} 2> {log}"


rule figure_relevance_joint:
    """Draw gaps in hit rates beside gaps in relevance."""
    input:
        gaps=rules.relevance_gaps.output.gaps,
        joint=rules.relevance_gaps.output.joint,
    output:
        pdf=f"{FIGURE}/relevance_joint/{{method}}/{{attribute}}.pdf",
        csv=f"{FIGURE}/relevance_joint/{{method}}/{{attribute}}.csv",
        png=report(
            f"{FIGURE}/relevance_joint/{{method}}/{{attribute}}.png",
            caption="../report/relevance_joint.rst",
            category="4. Heatmaps",
            labels={"figure": "errors and heatmaps by {attribute}", "method": "{method}"},
        ),
    log:
        f"{OUT}/logs/figures/relevance_joint/{{method}}/{{attribute}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/relevance_joint/{{method}}/{{attribute}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("relevance_joint"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
    shell:
        "python -m facebias figure relevance_joint --settings {params.settings:q}"
        " --input gaps={input.gaps} joint={input.joint}"
        " --select method={wildcards.method} attribute={wildcards.attribute}"
        " --out {params.stem} 2> {log}"


rule figure_relevance_maps:
    """Draw the mean heatmaps of groups on one face, and what they differ in."""
    input:
        maps=first_fold(rules.relevance.output.maps),
        manifest=rules.manifest.output.manifest,
        sanity=SANITY,
    output:
        pdf=f"{FIGURE}/relevance_maps/{{method}}/{{architecture}}/{{train_split}}.pdf",
        csv=f"{FIGURE}/relevance_maps/{{method}}/{{architecture}}/{{train_split}}.csv",
        png=report(
            f"{FIGURE}/relevance_maps/{{method}}/{{architecture}}/{{train_split}}.png",
            caption="../report/relevance_maps.rst",
            category="4. Heatmaps",
            labels={
                "figure": "mean heatmaps",
                "architecture": "{architecture}",
                "trained on": "{train_split}",
                "method": "{method}",
            },
        ),
    log:
        f"{OUT}/logs/figures/relevance_maps/{{method}}/{{architecture}}/{{train_split}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/relevance_maps/{{method}}/{{architecture}}/{{train_split}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("relevance_maps"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
        attribute=first_attribute,
        sanity=sanity,
    shell:
        "python -m facebias figure relevance_maps --settings {params.settings:q}"
        " --input maps={input.maps} manifest={input.manifest} {params.sanity}"
        " --select attribute={params.attribute} architecture={wildcards.architecture}"
        " train_split={wildcards.train_split} method={wildcards.method} --out {params.stem} 2> {log}"


rule figure_relevance_strips:
    """Draw where relevance lies in each key frame, by group."""
    input:
        tables=expand(rules.relevance.output.table, **OF_TRAIN_SPLIT),
        manifest=rules.manifest.output.manifest,
    output:
        pdf=f"{FIGURE}/relevance_strips/{{method}}/{{train_split}}.pdf",
        csv=f"{FIGURE}/relevance_strips/{{method}}/{{train_split}}.csv",
        png=report(
            f"{FIGURE}/relevance_strips/{{method}}/{{train_split}}.png",
            caption="../report/relevance_strips.rst",
            category="4. Heatmaps",
            labels={
                "figure": "over time",
                "trained on": "{train_split}",
                "method": "{method}",
            },
        ),
    log:
        f"{OUT}/logs/figures/relevance_strips/{{method}}/{{train_split}}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/relevance_strips/{{method}}/{{train_split}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("relevance_strips"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
        tables=expand(f"{MODEL}={rules.relevance.output.table}", **OF_TRAIN_SPLIT),
        attribute=first_attribute,
    shell:
        "python -m facebias figure relevance_strips --settings {params.settings:q}"
        " --input {params.tables} manifest={input.manifest}"
        " --select attribute={params.attribute} --out {params.stem} 2> {log}"


rule figure_heatmap_strips:
    """Draw heatmaps of the frames of single clips: the median of each label and group."""
    input:
        relevance=first_fold(rules.explain.output.relevance),
        table=first_fold(rules.explain.output.table),
        manifest=rules.manifest.output.manifest,
        sanity=SANITY,
    output:
        pdf=f"{FIGURE}/heatmap_strips/{EXPLAINED_CELL}.pdf",
        csv=f"{FIGURE}/heatmap_strips/{EXPLAINED_CELL}.csv",
        png=report(
            f"{FIGURE}/heatmap_strips/{EXPLAINED_CELL}.png",
            caption="../report/heatmap_strips.rst",
            category="4. Heatmaps",
            labels={
                "figure": "clips over time",
                "architecture": "{architecture}",
                "trained on": "{train_split}",
                "method": "{method}",
            },
        ),
    log:
        f"{OUT}/logs/figures/heatmap_strips/{EXPLAINED_CELL}.log",
    benchmark:
        f"{OUT}/benchmarks/figures/heatmap_strips/{EXPLAINED_CELL}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=figure_sources("heatmap_strips"),
        settings=FIGURE_SETTINGS,
        stem=subpath(output.png, strip_suffix=".png"),
        attribute=first_attribute,
        sanity=sanity,
    shell:
        "python -m facebias figure heatmap_strips --settings {params.settings:q}"
        " --input explanations={input.table} relevance={input.relevance}"
        " manifest={input.manifest} {params.sanity} --select attribute={params.attribute}"
        " --out {params.stem} 2> {log}"


# Maps and strips are drawn of the first train split of a hold-out; any other is there for the asking.
FIRST_TRAIN_SPLITS = [names[0] for names in TOGETHER]
# Those that see several frames; of pictures there is nothing over time.
OF_CLIPS = [
    name for name in EVERY_EXPLAINED_MODEL["architecture"] if CLIPS[ENDING[name]].frames > 1
]
if EXPLAINED:
    HEATMAPS += rules.relevance_gaps.output
    FIGURES += [
        *expand(
            [rules.figure_relevance_regions.output.png, rules.figure_relevance_joint.output.png],
            method=METHODS,
            attribute=ATTRIBUTES,
        ),
        *expand(
            rules.figure_relevance_maps.output.png,
            method=METHODS,
            architecture=EVERY_EXPLAINED_MODEL["architecture"],
            train_split=FIRST_TRAIN_SPLITS,
        ),
        *expand(
            rules.figure_heatmap_strips.output.png,
            method=METHODS,
            architecture=OF_CLIPS,
            train_split=FIRST_TRAIN_SPLITS,
        ),
        *(
            expand(
                rules.figure_relevance_strips.output.png,
                method=METHODS,
                train_split=FIRST_TRAIN_SPLITS,
            )
            if OF_CLIPS
            else []
        ),
    ]
