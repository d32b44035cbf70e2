"""The workflow as a module of another: `module facebias: snakefile: ...` and `use rule *`."""

import json
import os
import re
import subprocess

import pytest
import studies
import yaml

MODULE = """
module {name}:
    snakefile:
        {snakefile!r}
    config:
        config[{name!r}]


use rule * from {name} as {name}_*
"""
# A workflow of somebody: counts the rows of a table of the module.
OWN = """

rule count:
    default_target: True
    input:
        {input},
    output:
        "rows.txt",
    shell:
        "wc -l {{input}} > {{output}}"
"""
OPTIONS = ("--cores", "2", "--scheduler", "greedy", "--nocolor", "--configfile", "mine.yaml")
SMALLEST = studies.changed(
    studies.SMALL,
    {
        "architectures.vgg16": ...,
        "splits.train.female": ...,
        "splits.test.male": ...,
        "explanation.architectures": [],
    },
)


def project(folder, *, own, **configs):
    """Write a Snakefile that uses the workflow once per configuration, and its configuration."""
    snakefile = os.path.relpath(studies.ROOT / "Snakefile", folder)
    text = "".join(MODULE.format(name=name, snakefile=snakefile) for name in configs)
    (folder / "Snakefile").write_text(text + OWN.format(input=own))
    (folder / "mine.yaml").write_text(yaml.safe_dump({"unrelated": 1, **configs}, sort_keys=False))


def snakemake(folder, *arguments):
    done = studies.run("snakemake", *OPTIONS, *arguments, folder=folder)
    assert done.returncode == 0, done.stdout
    return done.stdout


def jobs(said):
    found = dict(re.findall(r"^(\w+) +(\d+)$", said, re.M))
    return {name: int(number) for name, number in found.items() if name != "total"}


def test_a_workflow_asks_for_a_table_of_the_module(tmp_path):
    project(tmp_path, own="rules.fb_gather_metrics.output", fb=studies.SMALL)
    said = snakemake(tmp_path, "--dry-run")
    planned = jobs(said)
    assert planned.pop("count") == 1
    assert planned == {
        "fb_draw": 2,
        "fb_manifest": 1,
        "fb_extract": 2,
        "fb_index": 1,
        "fb_split": 2,
        "fb_train_model": 4,
        "fb_predict": 4,
        "fb_cell_predictions": 4,
        "fb_cell_metrics": 8,
        "fb_gather_metrics": 1,
    }
    assert "localrules" not in said


def test_every_target_can_be_asked_for(tmp_path):
    project(tmp_path, own="rules.fb_gather_metrics.output", fb=studies.SMALL)
    alone = studies.snakemake(
        tmp_path, studies.write(studies.SMALL, tmp_path), "--dry-run", "all"
    ).stdout
    used = snakemake(tmp_path, "--dry-run", "--", "fb_all")
    assert jobs(used) == {f"fb_{name}": number for name, number in jobs(alone).items()}


def test_two_studies_in_one_workflow_do_not_meet(tmp_path):
    other = studies.changed(
        studies.SMALL, {"study": "other", "seeds": [1, 2], "splits.train": {"everyone": {}}}
    )
    both = "rules.a_gather_metrics.output, rules.b_gather_metrics.output"
    project(tmp_path, own=both, a=studies.SMALL, b=other)
    planned = jobs(snakemake(tmp_path, "--dry-run"))
    assert planned["a_train_model"] == 4
    assert planned["b_train_model"] == 4
    assert planned["b_cell_metrics"] == 4


def test_a_broken_configuration_is_one_readable_line(tmp_path):
    broken = studies.changed(studies.SMALL, {"training.epochs": 0})
    project(tmp_path, own="rules.fb_gather_metrics.output", fb=broken)
    with pytest.raises(AssertionError, match=r"training\.epochs: found 0, expected at least 1"):
        snakemake(tmp_path, "--dry-run")


def test_its_rules_run_and_do_not_run_again(tmp_path):
    project(tmp_path, own="rules.fb_gather_splits.output", fb=studies.SMALL)
    assert jobs(snakemake(tmp_path))["fb_split"] == 2
    splits = (tmp_path / "results/small/data/splits.csv").read_text().splitlines()
    assert f"{len(splits)} results/small/data/splits.csv" in (tmp_path / "rows.txt").read_text()
    assert (tmp_path / "results/small/logs/split/female/seed-1.log").exists()
    assert "Nothing to be done" in snakemake(tmp_path)


@pytest.mark.slow
def test_a_whole_study_with_its_report_and_its_record(tmp_path):
    project(tmp_path, own="rules.fb_report.output, rules.fb_record.output.record", fb=SMALLEST)
    snakemake(tmp_path)
    out = tmp_path / "results/small"
    assert "model_cards/cnn3d.html" in (out / "report.html").read_text()
    record = json.loads((out / "provenance/record.json").read_text())
    planned = jobs(snakemake(tmp_path, "--dry-run", "--forceall"))
    # All jobs but its own and ours.
    assert record["time"]["jobs"] == sum(planned.values()) - 2
    assert {model["architecture"] for model in record["models"]} == {"cnn3d"}
    crate = json.loads((out / "provenance/ro-crate-metadata.json").read_text())
    assert "#report.html" in {entity["@id"] for entity in crate["@graph"]}
    sums = sorted(out.glob("provenance/checksums/*.sha256"))
    assert len(sums) == 3
    subprocess.run(["sha256sum", "--check", "--quiet", *sums], cwd=out, check=True)
    assert "Nothing to be done" in snakemake(tmp_path)
    # What the module made is what the workflow by itself would make.
    alone = studies.snakemake(tmp_path, out / "config.yaml", "--dry-run").stdout
    assert "Nothing to be done" in alone, alone
    # A record is remade with a result, and only then.
    changed = studies.changed(SMALLEST, {"figures.dpi": 72})
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"fb": changed}, sort_keys=False))
    planned = jobs(snakemake(tmp_path, "--dry-run"))
    assert planned["fb_record"] == 1
    assert planned["fb_checksums"] == 1
    assert "fb_model_card" not in planned


def test_the_catalogue_finds_the_workflow(tmp_path):
    usage = yaml.safe_load((studies.ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    words = usage["mandatory-flags"]["flags"].split()
    for name in (words[1], f"{words[3]}/config.yaml", "config/README.md", "workflow/rules"):
        assert (studies.ROOT / name).exists()
    config = studies.write(studies.SMALL, tmp_path)
    plans = [
        studies.snakemake(tmp_path, config, "--dry-run", "--snakefile", str(studies.ROOT / name))
        for name in ("Snakefile", "workflow/Snakefile")
    ]
    here, there = (jobs(plan.stdout) for plan in plans)
    assert here.pop("all") == there.pop("everything") == 1
    assert here == there
    assert here["record"] == 1
