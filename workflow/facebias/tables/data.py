"""What is known of samples before any network: people, films, clips, who does what."""

from __future__ import annotations

from facebias.tables.contract import Table

# One row per person: `subject` and the recorded attributes.
SUBJECTS = Table("subjects", {"subject": "text"}, ("subject",), open=True)

# Between the path of a video and the number of the one frame of it that is a sample.
FRAME = "#frame="

# One row per sample. `path` is a picture, a video, a folder of pictures or a frame of a video.
# Then `label` (classes) or `label_<unit>` (units: 1, 0 or missing), then the attributes of its
# subject, then what else the data set records of the sample.
MANIFEST = Table(
    "manifest",
    {"sample": "text", "subject": "text", "path": "text", "publishable": "truth"},
    ("sample",),
    open=True,
)

# One row per sample left out, with the stage that left it out and the reason in words.
# Then the attributes of its subject.
EXCLUDED = Table(
    "excluded",
    {"sample": "text", "subject": "text", "path": "text", "stage": "text", "reason": "text"},
    ("sample",),
    open=True,
)

# Samples given and left out, by attribute, group and stage.
EXCLUSIONS = Table(
    "exclusions",
    {
        "attribute": "text",
        "group": "text",
        "reason": "text",
        "n_samples": "whole",
        "n_excluded": "whole",
        "share": "number",
    },
    ("attribute", "group", "reason"),
)

# What a data set may ship beside its samples: 68 x (x, y) of one decoded frame, flattened, pixels.
LANDMARKS = Table(
    "landmarks",
    {"sample": "text", "frame": "whole", "landmarks": "numbers"},
    ("sample", "frame"),
)

# One row per sample: where its key frames show a face, in pixels of the decoded frame, for all who
# cut it. Frames x 4 and frames x 5 points x (x, y), flattened; NaN where a frame shows none.
FACES = Table(
    "faces",
    {
        "sample": "text",
        "reason": "text",
        "key_frames": "numbers",
        "counts": "numbers",
        "probability": "numbers",
        "boxes": "numbers",
        "landmarks": "numbers",
    },
    ("sample",),
)

# One row per sample. `shard` and `row` point into clips/shard-{shard}.npy; row -1 = left out, then
# `reason` says why. Pixels of the crop: `landmarks` frames x 5 points x (x, y), flattened.
# Pixels of the upright frame: `boxes` frames x (left, top, right, bottom), flattened.
CLIPS = Table(
    "clips",
    {
        "sample": "text",
        "shard": "whole",
        "row": "whole",
        "reason": "text",
        "faces": "whole",
        "probability": "number",
        "key_frames": "numbers",
        "boxes": "numbers",
        "landmarks": "numbers",
    },
    ("sample",),
)

# One row per clip: how well its face can be seen (``clips.quality.measure`` says in which units).
QUALITY = Table(
    "quality",
    {
        "sample": "text",
        "detection_probability": "number",
        "face_size": "number",
        "key_frame_span": "number",
        "brightness": "number",
        "contrast": "number",
        "sharpness": "number",
    },
    ("sample",),
)

# Who does what: one row per subject, train split, fold and seed.
# `role` is train, validation, test or unused.
SPLITS = Table(
    "splits",
    {"train_split": "text", "fold": "whole", "seed": "whole", "subject": "text", "role": "text"},
    ("train_split", "fold", "seed", "subject"),
)

# One row per unit of a study: samples in which it was annotated, and in which it was present.
# Units that are not `kept` occur too rarely to be trained.
UNITS = Table(
    "units",
    {"unit": "text", "annotated": "whole", "positives": "whole", "kept": "truth"},
    ("unit",),
)
