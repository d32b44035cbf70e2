"""What a model leaves behind: how its training went, what it says of every sample."""

from __future__ import annotations

from facebias.tables.contract import MODEL, Table

# Where the features of a clip are in the array beside the table (``features.store``).
FEATURES = Table("features", {"sample": "text", "row": "whole"}, ("sample",))

HISTORY = Table(
    "history",
    {
        **MODEL,
        "epoch": "whole",
        "learning_rate": "number",
        "skipped_steps": "whole",
        "train_loss": "number",
        "train_accuracy": "number",
        "validation_loss": "number",
        "validation_accuracy": "number",
        "validation_macro_recall": "number",
        "validation_macro_f1": "number",
        "best": "truth",
    },
    (*MODEL, "epoch"),
)

# The score from which a unit counts as found, per model. `f1` is that of the validation samples;
# missing where there was nothing to choose by, and `note` says why.
THRESHOLDS = Table(
    "thresholds",
    {
        **MODEL,
        "unit": "text",
        "threshold": "number",
        "f1": "number",
        "positives": "whole",
        "negatives": "whole",
        "n_subjects": "whole",
        "note": "text",
    },
    (*MODEL, "unit"),
)

# One row per test sample of a model. Then `score_<label>` for every trained label, in order:
# probabilities (softmax over classes or sigmoid per unit). Where thresholds were chosen, then
# `threshold_<unit>`: units count as found from there on, else from 0.5.
PREDICTIONS = Table(
    "predictions",
    {**MODEL, "sample": "text", "subject": "text"},
    (*MODEL, "sample"),
    open=True,
)
