"""Edits of the configuration and of the code, and the jobs of the small study that each reruns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

# Jobs of the small study that belong together, by what they depend on; `|` takes the larger number
# of each. A new rule goes into every group whose changes reach it.
REPORT = Counter(report=1, checksums=1, record=1)  # whatever is shown
CONFIG = REPORT | Counter(resolve=1)  # any key
READ = REPORT | Counter(start_page=1, model_card=2)
METRICS = READ | Counter(gather_metrics=1, figure_rates=3, print_metrics=4)
CONFUSION = REPORT | Counter(gather_confusion=1, figure_confusion=4)
FAIRNESS = READ | Counter(
    gather_fairness=1, figure_gaps=1, figure_gaps_signed=1, figure_gaps_labels=1, print_fairness=1
)
EFFECTS = REPORT | Counter(gather_effects=1)
# Verdicts read it.
BY_GROUP = FAIRNESS | EFFECTS | Counter(gather_metrics_by_group=1, figure_rates_by_group=4)
VARIANCE = Counter(gather_variance=1, checksums=1, record=1)  # drawn where there are seeds
REDRAWS = REPORT | Counter(gather_redraws=1, figure_redraws=1)
CONFOUNDS = REPORT | Counter(confounds=1, figure_confounds=1, start_page=1)
RELEVANCE = REPORT | Counter(relevance_gaps=1, figure_relevance_regions=1, figure_relevance_joint=1)
# Of any model.
SCORES = METRICS | CONFUSION | BY_GROUP | VARIANCE | REDRAWS
CURVES = REPORT | Counter(cell_histories=4, figure_curves=1)
EXPLANATIONS = REPORT | Counter(gather_explanations=1, figure_conserved=1)
# Of all models.
EVALUATION = SCORES | Counter(
    cell_metrics=8,
    cell_metrics_by_group=4,
    cell_fairness=4,
    cell_effects=2,
    split_variance=2,
    split_redraws=2,
)
REGIONS = RELEVANCE | Counter(
    relevance=2, figure_heatmaps=2, figure_relevance_maps=1, figure_relevance_strips=1
)
HEATMAPS = EXPLANATIONS | REGIONS | Counter(explain=2, figure_heatmap_strips=1)
PREDICTIONS = EVALUATION | Counter(predict=4, cell_predictions=4, checksums=3)
MODELS = PREDICTIONS | HEATMAPS | CURVES | Counter(train_model=4)
# Of one of the two architectures, on both train splits. The other one is explained.
NETWORK = (
    SCORES
    | REPORT
    | Counter(train_model=2, cell_histories=2, figure_curves=1, predict=2, cell_predictions=2)
    | Counter(cell_metrics=4, cell_metrics_by_group=2, cell_fairness=2, cell_effects=1)
    | Counter(split_variance=2, split_redraws=2, checksums=2)
)
# Of one of the two train splits, of both architectures.
SPLIT = (
    SCORES
    | EXPLANATIONS
    | RELEVANCE
    | CONFOUNDS
    | Counter(split=1, gather_splits=1, figure_subjects=1, relevance=1)
    | Counter(train_model=2, cell_histories=2, figure_curves=1, predict=2, cell_predictions=2)
    | Counter(cell_metrics=4, cell_metrics_by_group=2, cell_fairness=2, cell_effects=2)
    | Counter(split_variance=1, split_redraws=1, explain=1, figure_heatmaps=1, checksums=4)
)
CLIPS = MODELS | CONFOUNDS | Counter(index=1, quality=1, figure_exclusions=1, checksums=4)
ROLES = MODELS | CONFOUNDS | Counter(split=2, gather_splits=1, figure_subjects=1, checksums=4)
MANIFEST = CLIPS | ROLES | Counter(manifest=1, extract=2)
EVERYTHING = MANIFEST | Counter(draw=2)
FIGURES = REPORT | Counter(
    figure_confounds=1,
    figure_confusion=4,
    figure_conserved=1,
    figure_curves=1,
    figure_exclusions=1,
    figure_gaps=1,
    figure_gaps_signed=1,
    figure_gaps_labels=1,
    figure_heatmap_strips=1,
    figure_heatmaps=2,
    figure_rates=3,
    figure_rates_by_group=4,
    figure_redraws=1,
    figure_relevance_joint=1,
    figure_relevance_maps=1,
    figure_relevance_regions=1,
    figure_relevance_strips=1,
    figure_subjects=1,
)


@dataclass(frozen=True)
class Edit:
    """An edit and the jobs that must run for it.

    Attributes
    ----------
    jobs
        Number of jobs by rule.
    config
        Changed keys of the configuration.
    source
        A file of the clone that is edited.
    definition
        How the definition begins that is edited; without it, what all who import the file run.
    new
        What is written there instead; without it, something that does the same.
    touched
        Files of the clone that are newer, with the same content.
    arguments
        Further arguments of Snakemake.
    run
        Whether it is also run.
    """

    jobs: Counter[str]
    config: Mapping[str, object] = field(default_factory=dict)
    source: str | None = None
    definition: str = ""
    new: str = ""
    touched: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    run: bool = False


def source(name: str, jobs: Counter[str], definition: str = "", new: str = "") -> Edit:
    return Edit(jobs, source=f"workflow/facebias/{name}", definition=definition, new=new)


EDITS = {
    "nothing": Edit(Counter()),
    "touched, not changed": Edit(
        Counter(),
        touched=(
            "Snakefile",
            "workflow/rules/models.smk",
            "workflow/facebias/models/training/loop.py",
            "workflow/report/rates.rst",
            "results/small/data/manifest.csv",
        ),
        run=True,
    ),
    "threads and memory": Edit(
        Counter(),
        arguments=(
            *("--set-threads", "train_model=2", "extract=2"),
            *("--set-resources", "train_model:mem_mb=123", "cell_metrics:runtime=7"),
        ),
    ),
    # ------------------------------------------------------------------------- configuration
    "learning rate of one architecture": Edit(
        CONFIG | NETWORK,
        {"architectures.cnn3d.training": {"learning_rate": 0.02}},
    ),
    "learning rate of the architecture that is explained": Edit(
        CONFIG | NETWORK | HEATMAPS,
        {"architectures.vgg16.training": {"learning_rate": 0.02}},
    ),
    "condition of a train split": Edit(
        CONFIG | SPLIT, {"splits.train.female.where": {"gender": ["female"]}}
    ),
    "a new seed": Edit(
        CONFIG
        | PREDICTIONS
        | CURVES
        | CONFOUNDS
        | Counter(split=2, gather_splits=1, figure_subjects=1, train_model=4, figure_variance=1)
        | Counter(checksums=4),
        {"seeds": [1, 2]},
    ),
    # What gap can be detected depends on how many are declared.
    "a new architecture": Edit(
        CONFIG | NETWORK | Counter(model_card=3, cell_fairness=6),
        {"architectures.resnet50": {"width": 0.25, "input_size": 32}},
    ),
    "a new train split": Edit(
        CONFIG | SPLIT | Counter(figure_confusion=6, print_metrics=6),
        {"splits.train.male": {"where": {"gender": "male"}}},
    ),
    "a new test split": Edit(
        CONFIG | METRICS | CONFUSION | Counter(cell_metrics=4, figure_confusion=6, print_metrics=6),
        {"splits.test.female": {"where": {"gender": "female"}}},
    ),
    "number of resamples": Edit(
        CONFIG | EVALUATION | RELEVANCE | CONFOUNDS, {"evaluation.resamples": 150}
    ),
    # What describes the data counts samples whatever they weigh in what models do.
    "weights of people": Edit(CONFIG | EVALUATION | RELEVANCE, {"evaluation.weights": "subjects"}),
    "another declared question": Edit(
        CONFIG | FAIRNESS | EFFECTS | RELEVANCE, {"evaluation.primary": {"train_split": "female"}}
    ),
    "a colour": Edit(CONFIG | FIGURES, {"figures.colours": ["#000000", "#777777", "#BBBBBB"]}),
    "a composite of the heatmaps": Edit(
        CONFIG | HEATMAPS, {"explanation.composite": "epsilon_plus"}, run=True
    ),
    "a composite of one architecture": Edit(
        CONFIG | HEATMAPS, {"explanation.composite": {"vgg16": "epsilon_plus"}}
    ),
    "labels fused": Edit(
        CONFIG | EVALUATION | CONFOUNDS | FIGURES,
        {"labels.fuse": {"low": ["sadness", "surprise"]}},
    ),
    "units of a label": Edit(CONFIG | REGIONS, {"explanation.units": {"surprise": [26]}}),
    "margin of the faces": Edit(CONFIG | CLIPS | Counter(extract=2), {"clips.margin": 2}),
    # --------------------------------------------------- a source file of every stage, and others
    "source of draw": source("data/datasets/drawn/film.py", CLIPS | Counter(draw=2, extract=2)),
    "source of manifest": source("data/datasets/stage.py", MANIFEST),
    "source of extract": source("clips/decode.py", CLIPS | Counter(extract=2)),
    "source of index": source("clips/index.py", CLIPS),
    "source of quality": source("clips/quality.py", CONFOUNDS | Counter(quality=1)),
    "source of split": source("data/splits/drawing.py", EVERYTHING),
    "source of train": source("models/training/loop.py", MODELS),
    "source of predict": source("models/prediction.py", PREDICTIONS),
    "source of metrics": source("evaluation/scores.py", EVALUATION | RELEVANCE),
    "source of metrics_by_group": source(
        "evaluation/by_group.py", BY_GROUP | Counter(cell_metrics_by_group=4)
    ),
    "source of fairness": source(
        "evaluation/gaps.py",
        (EVALUATION - BY_GROUP - Counter(cell_metrics_by_group=4)) | FAIRNESS | EFFECTS | RELEVANCE,
    ),
    "source of effects": source(
        "evaluation/pairing.py",
        METRICS
        | CONFUSION
        | FAIRNESS
        | EFFECTS
        | Counter(cell_metrics=8, cell_fairness=4, cell_effects=2),
    ),
    "source of judge": source("evaluation/multiplicity.py", FAIRNESS | EFFECTS | RELEVANCE),
    "source of confounds": source("evaluation/confounds.py", CONFOUNDS),
    "source of variance": source("evaluation/variance.py", VARIANCE | Counter(split_variance=2)),
    "source of redraws": source("evaluation/redraws.py", REDRAWS | Counter(split_redraws=2)),
    "source of explain": source("explanation/composites.py", HEATMAPS),
    "source of relevance": source("explanation/regions.py", REGIONS),
    "source of relevance_gaps": source("evaluation/relevance_joint.py", RELEVANCE),
    "source of gather": source("tables/contract.py", EVERYTHING),
    "source of figure": source("presentation/figures/style.py", FIGURES),
    "source of print_table": source(
        "presentation/report/print.py", REPORT | Counter(print_metrics=4, print_fairness=1)
    ),
    "source of start_page": source(
        "presentation/report/start_page.py", REPORT | Counter(start_page=1)
    ),
    "source of model_card": source(
        "presentation/record/model_card.py", REPORT | Counter(model_card=2)
    ),
    "source of checksums": source(
        "presentation/record/checksums.py", Counter(checksums=4, record=1)
    ),
    "source of record": source("presentation/record/crate.py", Counter(record=1)),
    "source of one architecture": source("models/architectures/vgg.py", NETWORK | HEATMAPS),
    "source of one figure": source(
        "presentation/figures/rates.py", REPORT | Counter(figure_rates=3, figure_rates_by_group=4)
    ),
    "source that no job runs": source("workflow/plan.py", Counter()),
    # ---------------------------------------------------- definitions; all of them: test_closure.py
    "comment in what all import": source("tables/files.py", Counter(), "# "),
    "comment in the settings": source("study/models.py", Counter(), "# "),
    "comment in the command line": source("__main__.py", Counter(), "# "),
    "a further key of training": source(
        "study/models.py",
        Counter(),
        "    micro_batch: Number",
        '    new: int = key(1, was=1, description="New.")\n    micro_batch: Number',
    ),
    "a further stage": source(
        "stages/__init__.py",
        Counter(),
        '    "resolve": ',
        '    "new": Stage("facebias.new:main", "do something new"),\n    "resolve": ',
    ),
    "settings of what is explained": source(
        "study/models.py", Counter(record=1), "@section\nclass Explanation("
    ),
    "table of one stage": source("tables/data.py", CONFOUNDS | Counter(quality=1), "QUALITY = "),
    "name of a change": source(
        "tables/comparisons.py", EFFECTS | Counter(cell_effects=2, start_page=1), "def change("
    ),
    "caption": Edit(REPORT, source="workflow/report/rates.rst"),
}


def another(text: str, edit: Edit) -> str:
    """Return a text that does the same as another, in other words."""
    if edit.definition == "# ":
        return f"# Seen.\n{text}\n# Seen.\n"
    if not edit.definition:
        return text + (".. seen\n" if edit.source.endswith(".rst") else "assert True\n")
    start = f"\n{edit.definition}"
    assert text.count(start) == 1
    if edit.new:
        return text.replace(start, f"\n{edit.new}")
    head = "@(lambda given: given)\n" if "(" in edit.definition else ""
    value = "" if head else "None or "
    return text.replace(start, f"\n{head}{edit.definition}{value}")
