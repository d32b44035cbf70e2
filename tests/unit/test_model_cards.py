"""Model cards: their sections, and that every number in them is one of the tables."""

import json
import re

import finished_study as made
import numpy as np
import pandas as pd
import pytest
import studies
from markdown_it import MarkdownIt

from facebias import tables
from facebias.core import provenance
from facebias.evaluation import by_group
from facebias.presentation.record import layout, model_card, study_record
from facebias.study import StudyError, configuration, plain
from facebias.tables import comparisons

LABELS = ("happiness", "surprise", "sadness")
PEOPLE = {"F1": "female", "F2": "female", "F3": "female", "M1": "male", "M2": "male", "M3": "male"}
TRAINED = {"F8": "female", "F9": "female", "M9": "male"}
# Sections of Mitchell et al. 2019.
SECTIONS = (
    "Model details",
    "Intended use",
    "Factors",
    "Metrics",
    "Evaluation data",
    "Training data",
    "Quantitative analyses",
    "Ethical considerations",
    "Caveats and recommendations",
)


class Finished:
    """The files of one architecture; women's sadness is taken for happiness."""

    def __init__(self, folder, **changes):
        changes = {"title": "Who smiles?", "evaluation.min_subjects": 3, **changes}
        self.folder = folder
        self.config = configuration.resolve(studies.changed(studies.SMALL, changes))
        self.study = configuration.load(self.config)
        self.names = study_record.names(self.study) | {"architecture": ["cnn3d"]}
        self.people = dict(PEOPLE)
        self.notes = {}
        self.verdict = "cannot tell"
        self.pretrained = None

    def card(self):
        self._write()
        arguments = ["--settings", json.dumps(self._settings()), "--architecture", "cnn3d"]
        for name in ("metrics", "by-group", "fairness", "splits", "manifest", "excluded"):
            arguments += [f"--{name}", str(self.folder / f"{name}.csv")]
        out = self.folder / "cards/cnn3d"
        model_card.main([*arguments, "--out", str(out)])
        return out.with_suffix(".md").read_text()

    def _settings(self):
        study = self.study
        return plain(
            {
                "study": study.study,
                "title": study.title,
                "architecture": study.architectures["cnn3d"],
                "data": study.data,
                "labels": study.labels,
                "splits": study.splits,
                "evaluation": study.evaluation,
                "seeds": study.seeds,
                "train_splits": list(study.splits.train),
                "test_splits": list(study.splits.test),
                "compared_by": dict.fromkeys(study.splits.train, study.evaluation.attributes),
                "provenance": str(self.folder / f"models/{made.MODEL}/provenance.json"),
            }
        )

    def _write(self):
        samples = [
            (f"{subject}-{label}", subject, f"{subject}.mp4", False, label, gender)
            for subject, gender in (self.people | TRAINED).items()
            for label in LABELS
        ]
        columns = [*tables.MANIFEST.columns, "label", "gender"]
        manifest = pd.DataFrame(samples, columns=columns)
        tables.write(manifest, self.folder / "manifest.csv", tables.MANIFEST)
        excluded = pd.DataFrame(
            [("x", "M3", "x.mp4", "extract", "no face", "male")],
            columns=[*tables.EXCLUDED.columns, "gender"],
        )
        tables.write(excluded, self.folder / "excluded.csv", tables.EXCLUDED)
        self._write_splits()
        tested = manifest[manifest["subject"].isin(self.people)]
        for path in layout.expanded("{train_split}/fold-{fold}/seed-{seed}", self.names):
            self._write_model(path, tested)
        self._write_by_group()
        self._write_tables()

    def _write_splits(self):
        rows = [
            (train, fold, seed, subject, "test" if subject in self.people else "train")
            for train in self.names["train_split"]
            for fold in self.names["fold"]
            for seed in self.names["seed"]
            for subject in self.people | TRAINED
            if train != "female" or subject != "M9"
        ]
        roles = pd.DataFrame(rows, columns=list(tables.SPLITS.columns))
        tables.write(roles, self.folder / "splits.csv", tables.SPLITS)

    def _write_model(self, path, tested):
        train, fold, seed = re.fullmatch(r"(.+)/fold-(\d+)/seed-(\d+)", path).groups()
        model = {
            "architecture": "cnn3d",
            "train_split": train,
            "fold": int(fold),
            "seed": int(seed),
        }
        wrong = (tested["label"] == "sadness") & (tested["gender"] == "female")
        said = tested["label"].where(~wrong, "happiness")
        scores = {f"score_{name}": np.where(said == name, 0.8, 0.1) for name in LABELS}
        frame = tested[["sample", "subject"]].assign(**model, **scores)
        out = self.folder / f"predictions/cnn3d/{path}.parquet"
        tables.write(frame, out, tables.PREDICTIONS)
        provenance.write(
            self.folder / f"models/cnn3d/{path}/provenance.json",
            **model,
            settings="{}",
            parameters=295678,
            device="Tesla V100-SXM2-32GB",
            precision="fp16",
            float32={"matmul": "ieee", "convolution": "ieee", "recurrence": "ieee"},
            pretrained=self.pretrained,
            subjects={"train": list(TRAINED), "validation": ["F7"]},
            samples={"train": 9, "validation": 3},
        )

    def _write_by_group(self):
        given = plain(
            {
                "labels": self.study.labels,
                "evaluation": self.study.evaluation.resampling,
                "attributes": self.study.evaluation.attributes,
            }
        )
        parts = []
        for train in self.names["train_split"]:
            out = self.folder / f"by-group-{train}.csv"
            files = sorted((self.folder / f"predictions/cnn3d/{train}").rglob("*.parquet"))
            arguments = ["--architecture", "cnn3d", "--train-split", train]
            arguments += ["--manifest", str(self.folder / "manifest.csv"), "--out", str(out)]
            arguments += ["--settings", json.dumps(given), "--predictions", *map(str, files)]
            by_group.main(arguments)
            parts.append(out)
        every = tables.gather(parts, tables.METRICS_BY_GROUP)
        tables.write(every, self.folder / "by-group.csv", tables.METRICS_BY_GROUP)

    def _write_tables(self):
        metrics = [
            {
                "architecture": name,
                "train_split": train,
                "test_split": test,
                "label": label,
                "metric": metric,
                "value": 0.5 if name == "cnn3d" else 0.99,
                "ci_low": 0.25,
                "ci_high": 0.75,
                "n_subjects": 6,
                "n_samples": n,
            }
            for label, metric, n in (
                ("overall", "accuracy", 18),
                *((label, "accuracy", 18) for label in LABELS),
                *((label, "tpr", 4 + 6 * (label == "surprise")) for label in LABELS),
            )
            for name in ("cnn3d", "vgg16")
            for train in self.names["train_split"]
            for test in self.names["test_split"]
        ]
        tables.write(pd.DataFrame(metrics), self.folder / "metrics.csv", tables.METRICS)
        fairness = [
            {
                "architecture": name,
                "train_split": "regular",
                "attribute": "gender",
                **comparisons.pair("female", "male"),
                "criterion": criterion,
                "definition": definition,
                "estimate": value,
                "ci_low": value - 0.2,
                "ci_high": value + 0.1,
                "n_subjects": 6,
                "n_samples": 18,
                "note": self.notes.get((criterion, definition)),
                "verdict": self.verdict,
            }
            for name, shift in (("cnn3d", 0), ("vgg16", 0.5))
            for criterion, definition, value in (
                ("equal_opportunity", "signed", -0.33 + shift),
                ("equal_opportunity", "per_class_mean", 0.34 + shift),
                ("equal_opportunity", "worst_class", 0.4 + shift),
                ("accuracy_gap", "signed", -0.22 + shift),
                ("demographic_parity", "signed", np.nan),
            )
        ]
        table = pd.DataFrame(fairness).reindex(columns=list(tables.FAIRNESS.columns))
        tables.write(table, self.folder / "fairness.csv", tables.FAIRNESS)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return Finished(tmp_path_factory.mktemp("card"))


@pytest.fixture(scope="module")
def card(finished):
    return finished.card()


def cells(card, section, row):
    """Return the cells of the row of a table that starts with ``row``."""
    text = card.split(f"## {section}\n")[1].split("\n## ")[0]
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {row}")]
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_sections_are_those_of_model_cards(card):
    assert re.findall(r"^## (.+)$", card, re.M) == list(SECTIONS)


def test_it_says_what_the_network_is_and_what_made_it(card):
    assert card.startswith("# Model card: 3D-CNN\n")
    assert "Study *Who smiles?* (`small`)." in card
    assert "295,678 parameters" in card
    assert "Device: Tesla V100-SXM2-32GB, fp16, deterministic algorithms, torch 2.10.0." in card
    assert "**Models:** 2: 2 training splits, 1 seed." in card
    assert "`provenance/checksums/cnn3d.sha256`" in card


def test_it_says_what_weights_training_started_from(card, tmp_path):
    assert "**Training:** from scratch; at most" in card
    study = Finished(tmp_path, **{"architectures.cnn3d.frozen": "backbone"})
    study.pretrained = {"source": "file.pth", "format": "torchvision", "sha256": "0a1b" * 16}
    expected = f"from the pretrained weights file.pth (SHA-256 {'0a1b' * 16}), which have a licence"
    assert f"**Training:** {expected} of their own; backbone frozen; at most" in study.card()


def test_it_says_how_many_people_were_tested_and_left_out(card):
    assert "6 people were tested, held out from all training." in card
    assert "1 sample of 28 was left out" in card
    assert cells(card, "Factors", "gender | female") == ["gender", "female", "3", "2", "2"]
    assert cells(card, "Factors", "gender | male") == ["gender", "male", "3", "1", "0"]


def test_people_of_whom_no_clip_could_be_cut_are_not_counted(tmp_path):
    study = Finished(tmp_path)
    write = study._write

    def writing():
        write()
        manifest = tables.read(tmp_path / "manifest.csv", tables.MANIFEST)
        lost = manifest[manifest["subject"] == "M3"].assign(stage="extract", reason="no face")
        columns = [*tables.EXCLUDED.columns, "gender"]
        tables.write(lost[columns], tmp_path / "excluded.csv", tables.EXCLUDED)

    study._write = writing
    card = study.card()
    assert "5 people were tested" in card
    assert "3 samples of 27 were left out" in card
    assert cells(card, "Factors", "gender | male")[2] == "2"


def test_training_splits_are_in_words_and_numbers(card):
    row = cells(card, "Training data", "female")
    assert row == ["female", "gender female", "3", "9", "1"]
    assert cells(card, "Training data", "regular")[1] == "everybody"


def test_accuracy_is_that_of_this_architecture_with_intervals(card):
    row = cells(card, "Quantitative analyses", "all")
    assert row == ["all", "6", "18", "0.56 (surprise)", "0.50 [0.25, 0.75]", "0.50 [0.25, 0.75]"]
    assert "0.99" not in card
    assert "and recognises, as a mean over labels, 0.33." in card


def test_groups_are_measured_apart(card):
    women = cells(card, "Quantitative analyses", "regular | gender: female")
    men = cells(card, "Quantitative analyses", "regular | gender: male")
    assert women[:4] == ["regular", "gender: female", "3", "9"]
    # Three who are all alike say little of those who were not tested.
    assert women[4:6] == ["0.33 (happiness)", "0.67 [0.06, 0.98]"]
    assert women[7:] == ["1.00 [0.14, 1.00]", "1.00 [0.14, 1.00]", "0.00 [0.00, 0.86]"]
    assert men[7:] == ["1.00 [0.14, 1.00]"] * 3


def test_the_table_beside_it_holds_what_it_shows(card, finished):
    table = tables.read(finished.folder / "cards/cnn3d.csv", tables.METRICS_BY_GROUP)
    assert set(table["attribute"]) == {"gender"}
    assert set(table["group"]) == {"female", "male"}
    sadness = table[
        (table["label"] == "sadness")
        & (table["metric"] == "tpr")
        & (table["train_split"] == "regular")
    ].set_index("group")
    assert sadness["value"].to_dict() == {"female": 0, "male": 1}
    assert sadness["n_subjects"].tolist() == [3, 3]


def test_gaps_have_their_sign_their_interval_and_their_verdict(card):
    row = cells(card, "Quantitative analyses", "regular | gender | female − male")
    assert row[3:] == [
        "−0.33 [−0.53, −0.23]",
        "0.34 [0.14, 0.44]",
        "0.40 [0.20, 0.50]",
        "−0.22 [−0.42, −0.12]",
        "cannot tell",
    ]


def test_a_group_that_is_too_small_is_not_estimable(tmp_path):
    study = Finished(tmp_path)
    del study.people["M3"]
    row = cells(study.card(), "Quantitative analyses", "regular | gender: male")
    assert row[:5] == ["regular", "gender: male", "2", "6", "0.33 (happiness)"]
    assert row[5:] == ["not estimable"] * 5
    table = tables.read(tmp_path / "cards/cnn3d.csv", tables.METRICS_BY_GROUP)
    assert table.loc[table["group"] == "male", "value"].isna().all()
    assert table.loc[table["group"] == "female", "value"].notna().any()


def test_a_group_that_nobody_of_was_tested_has_no_row(tmp_path):
    study = Finished(tmp_path)
    for name in ("M1", "M2", "M3"):
        del study.people[name]
    card = study.card()
    assert "| gender: male |" not in card
    assert cells(card, "Factors", "gender | male")[2] == "0"


def test_notes_are_those_of_the_gaps_that_are_shown(tmp_path):
    study = Finished(tmp_path)
    study.notes = {
        ("equal_opportunity", "signed"): "sadness left out",
        ("demographic_parity", "signed"): "0 by construction",
    }
    card = study.card()
    assert "- sadness left out" in card
    assert "by construction" not in card


def test_more_seeds_are_said(tmp_path):
    card = Finished(tmp_path, seeds=[1, 2]).card()
    assert "**Models:** 4: 2 training splits, 2 seeds." in card
    assert "means over 2 seeds" in card
    assert cells(card, "Quantitative analyses", "regular | gender: male")[3] == "9"


@pytest.mark.parametrize("word", ["unbiased", "is fair", "no bias in", "treats everyone"])
def test_no_card_calls_a_model_unbiased(card, word):
    assert word not in card.lower()


def test_drawn_people_are_said_to_be_drawn(card):
    assert "The people are drawn." in card
    assert "Faces are personal data" not in card


def test_real_people_are_treated_as_such(tmp_path):
    study = Finished(tmp_path)
    settings = study._settings()
    settings["data"] |= {"adapter": "videos", "drawn": None}
    study._settings = lambda: settings
    card = study.card()
    assert "Data: videos of people." in card
    assert "Faces are personal data" in card
    assert "drawn" not in card


def test_names_cannot_break_the_card(tmp_path):
    study = Finished(tmp_path, title="A | B <script>alert(1)</script> *c*")
    study.verdict = "a | b"
    study.card()
    html = (tmp_path / "cards/cnn3d.html").read_text()
    assert "<script" not in html
    assert "A | B &lt;script&gt;alert(1)&lt;/script&gt; *c*" in html
    assert "<td>a | b</td>" in html


def test_html_has_every_table_and_loads_nothing(card, finished):
    html = (finished.folder / "cards/cnn3d.html").read_text()
    assert html.count("<table>") == 5
    assert html.count("<h2>") == len(SECTIONS)
    assert not re.search(r"<(script|link|img)|src=|href=|url\(|@import", html)
    rows = [line for line in card.splitlines() if line.startswith("|") and "---" not in line]
    assert html.count("<tr>") == len(rows)


def test_every_row_has_as_many_cells_as_its_head(card):
    tokens = MarkdownIt("commonmark").enable("table").parse(card)
    widths, width = [], 0
    for token in tokens:
        if token.type in ("th_open", "td_open"):
            width += 1
        elif token.type == "tr_close":
            widths.append(width)
            width = 0
        elif token.type == "table_close":
            assert len(set(widths)) == 1
            widths = []
    for line in card.splitlines():
        assert not line.startswith(" ")


def test_a_model_trained_by_an_older_version_is_named(tmp_path):
    study = Finished(tmp_path)
    study._write()
    path = tmp_path / "models/cnn3d/regular/fold-0/seed-1/provenance.json"
    facts = json.loads(path.read_text())
    del facts["lock"]
    study._write = lambda: path.write_text(json.dumps(facts))
    with pytest.raises(StudyError, match=r"provenance\.json: no lock; written by an older"):
        study.card()


def test_a_training_split_drawn_from_others_names_them(tmp_path):
    mixed = {"drawn_from": ["female", "regular"], "where": {"skin": "dark"}}
    said = Finished(tmp_path, **{"splits.train.mixed": mixed}).card()
    assert "| mixed | drawn from female and regular: skin dark |" in said
