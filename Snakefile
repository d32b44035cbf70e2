# facebias: reproducible bias studies of facial-expression models.
#
#   snakemake --configfile config/demo.yaml --profile profiles/local [target]
#
# Targets: all clips train predictions metrics heatmaps tables figures report.
from snakemake.utils import min_version

min_version("9.0")

if "study" not in config:

    configfile: "config/demo.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/clips.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/explanation.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"


localrules:
    all,
    clips,
    train,
    predictions,
    metrics,
    heatmaps,
    tables,
    figures,


rule all:
    default_target: True
    input:
        rules.resolve.output,
        rules.report.output,


rule clips:
    input:
        rules.index.output,


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


rule heatmaps:
    input:
        HEATMAPS,


rule tables:
    input:
        PRINTED,


rule figures:
    input:
        FIGURES,
