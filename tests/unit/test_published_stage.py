"""The stages of published studies: files in, files and a page out."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import published_results as published
import pytest
import study_tables as made

from facebias import __main__ as command
from facebias import tables
from facebias.published import audit, contracts, page, papers, stage

ROOT = Path(__file__).parents[2]


def run(folder, out):
    return command.main(["published", str(folder), "--out", str(out)])


@pytest.fixture
def copied(tmp_path):
    """Return a copy of the first study, to be changed."""
    return Path(shutil.copytree(papers.FOLDER / "domnich2021", tmp_path / "domnich2021"))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    for name in ("domnich2021", "deuschel2020"):
        assert run(papers.FOLDER / name, folder / name) == 0
    return folder


def test_every_file_keeps_its_contract(pages):
    for folder in pages.iterdir():
        files = {path.stem: path for path in folder.glob("*.csv")}
        for name, path in files.items():
            assert len(tables.read(path, stage.CONTRACTS[name]))
    assert {path.stem for path in pages.glob("domnich2021/*.csv")} == set(stage.CONTRACTS) - {
        "differences"
    }


def test_audit_has_the_columns_that_were_asked_for(pages):
    found = tables.read(pages / "domnich2021/audit.csv", contracts.AUDIT)
    wanted = "paper_table architecture train_split test_split label metric printed implied"
    assert list(found.columns)[:8] == wanted.split()
    # A row per cell, and none of a rule that a new draw of samples breaks.
    cells = found[["paper_table", "architecture", "train_split", "test_split", "label", "metric"]]
    assert not cells.duplicated().any()
    assert [tuple(row) for row in cells.itertuples(index=False)] == [
        (2, "senet50", "regular", "all", "upset", "accuracy"),
        (4, "senet50", "regular", "all", "overall", "fpr"),
        (4, "senet50", "regular", "all", "upset", "fpr"),
    ]
    redrawn = tables.read(pages / "domnich2021/redrawn.csv", contracts.AUDIT)
    assert set(redrawn["rule"]) == {audit.ONE_DRAW}
    assert len(redrawn) == 106


def test_a_cell_stands_in_the_audit_where_its_three_rates_disagree(pages):
    """Held against the printed digits alone: no count, no rule of ours."""
    printed = pd.read_csv(published.path("domnich2021"))
    cells = ["architecture", "train_split", "test_split", "label"]
    rates = printed.pivot(index=cells, columns="metric", values="value")
    implied = (rates["tpr"] + 3 * (1 - rates["fpr"])) / 4
    # Digits are rounded or cut off: of both rates together that is less.
    wrong = implied[(rates["accuracy"] - implied).abs() > 0.01]
    found = tables.read(pages / "domnich2021/audit.csv", contracts.AUDIT)
    found = found[found["rule"] == audit.CELL].set_index(cells)
    assert set(found.index) == set(wrong.index)
    assert found["implied"].tolist() == pytest.approx(wrong.loc[found.index].tolist(), abs=0.01)


def test_the_page_says_what_the_tables_say(pages):
    text = (pages / "domnich2021/README.md").read_text()
    words = " ".join(text.split())
    assert "24 statements on who is most and least biased, **24 agree**" in words
    assert "**12 of these 14 flip**" in words
    assert "**0 of the 18 models**" in words
    assert "which breaks 3 rules: 0.2 as false positive rate of upset, test set all" in words
    assert "published equalized odds are always 4/3" in words
    assert text.count("| **flips**: rank") + text.count("| stays") == 2 * 24
    assert "{{" not in text
    assert "nan" not in words.lower().split()


def test_the_page_of_tables_without_a_fault(pages):
    folder = pages / "domnich2021"
    read = {
        path.stem: tables.read(path, stage.CONTRACTS[path.stem]) for path in folder.glob("*.csv")
    }
    read["audit"] = read["audit"].head(0)
    read["extremes"] = read["extremes"].assign(ci_low=-1.0)
    words = " ".join(page.render(papers.FOLDER / "domnich2021", published.DOMNICH, read).split())
    assert "The printed numbers agree with each other. ##" in words
    assert "No interval excludes 0 before the correction either." in words
    assert "All 72 rates that the drawn samples of *upset* cannot enter" in words


def test_tables_of_the_page_are_whole(pages):
    for path in pages.glob("*/README.md"):
        blocks = re.findall(r"(?:^\|.*\n)+", path.read_text(), flags=re.M)
        assert blocks
        for block in blocks:
            assert len({line.count("|") for line in block.splitlines()}) == 1


def test_the_page_of_study_b(pages):
    words = " ".join((pages / "deuschel2020/README.md").read_text().split())
    assert "8 of 9 statements agree with the tables; not: trained on both: men" in words
    assert "| male | female - male | F1 score, mean over labels | 0.44 | 0.55 | -0.11 |" in words


def test_rates_that_contradict_each_other_are_named(copied, tmp_path, capsys):
    text = (copied / papers.PRINTED).read_text()
    wrong = text.replace(
        "12,vggface,regular,female,sadness,tpr,1.0", "12,vggface,regular,female,sadness,tpr,0.2"
    )
    assert wrong != text
    (copied / papers.PRINTED).write_text(wrong)
    assert run(copied, tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert "published rates of vggface, trained on regular, tested on female: no confusion" in said
    assert not (tmp_path / "out").exists()


def test_rankings_are_needed(copied, tmp_path, capsys):
    (copied / papers.RANKINGS).unlink()
    assert run(copied, tmp_path / "out") == 1
    assert "domnich2021/rankings.csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: classes", "kind: clases", 'kind: found "clases"; did you mean classes?'),
        ("whole: all", "hole: all", "hole: unknown key; did you mean whole?"),
        ("resolution: 0.025", "resolution: small", 'resolution: found "small", expected a number'),
        ("    step: 2", "    step: 0", "numbered[3].step: found 0, expected at least 1"),
        ("kind: classes", "", "kind: missing, it is needed"),
    ],
)
def test_faults_of_what_is_known_of_a_paper_are_named(copied, tmp_path, capsys, old, new, said):
    path = copied / papers.PAPER
    path.write_text(path.read_text().replace(old, new, 1))
    assert run(copied, tmp_path / "out") == 1
    err = capsys.readouterr().err
    assert f"{path}: {said}" in err


def test_no_code_names_a_published_study():
    code = [*ROOT.glob("workflow/**/*.py"), *ROOT.glob("workflow/rules/*.smk"), ROOT / "Snakefile"]
    assert len(code) > 150
    for path in code:
        named = [name for name in papers.names() if name in path.read_text(encoding="utf-8")]
        assert not named, path


def test_comparison_of_a_study_of_classes(tmp_path):
    tables.write(made.fairness(), tmp_path / "fairness.csv", tables.FAIRNESS)
    out = compare("domnich2021", tmp_path / "fairness.csv", tmp_path)
    found = tables.read(out, contracts.COMPARISON)
    assert found.groupby(["architecture", "train_split"]).ngroups == 18


def compare(name, ours, folder):
    settings = json.dumps({"drawn": False, "confidence": 0.95})
    out = folder / "comparison.csv"
    arguments = ["published_comparison", "--settings", settings, "--out", str(out)]
    arguments += ["--replication", str(papers.FOLDER / name), "--ours", str(ours)]
    assert command.main(arguments) == 0
    return out
