# facebias: reproducible bias studies of facial-expression models.
#
#   snakemake --configfile config/demo.yaml --profile profiles/local [target]
#
# Targets: all clips train predictions metrics heatmaps tables figures report provenance published.
from snakemake.utils import min_version

min_version("9.0")

if "study" not in config:

    configfile: "config/demo.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/clips.smk"
include: "workflow/rules/weights.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/explanation.smk"
include: "workflow/rules/regions.smk"
include: "workflow/rules/diagnostics.smk"
include: "workflow/rules/published.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/recording.smk"
include: "workflow/rules/cards.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/provenance.smk"


onstart:
    hold_study()
    failures.show_reasons()
    schedule_when_jobs_end()


rule all:
    default_target: True
    input:
        rules.resolve.output,
        rules.report.output,
        DIAGNOSTICS,
        rules.record.output,


rule clips:
    input:
        INDEXES,
        EXCLUDED,
        EXCLUSIONS,
        # Models name only the index, or each of them would list hundreds of shards.
        FACES,


rule train:
    input:
        MODELS,


rule predictions:
    input:
        PREDICTIONS,


rule metrics:
    input:
        rules.gather_metrics.output,
        rules.gather_confusion.output,
        rules.gather_fairness.output,
        EFFECTS,


rule heatmaps:
    input:
        HEATMAPS,


rule tables:
    input:
        PRINTED,
        DIAGNOSTICS,


rule figures:
    input:
        FIGURES,


rule provenance:
    input:
        rules.record.output,


rule published:
    input:
        expand(rules.published_classes.output, paper=OF_CLASSES),
        expand(rules.published_units.output, paper=OF_UNITS),
        expand(rules.figure_published.output, paper=OF_CLASSES),
