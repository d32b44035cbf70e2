"""The SLURM profile has a place for every rule; checked without SLURM."""

import re

import pytest
import studies
import yaml

SETTINGS = yaml.safe_load((studies.ROOT / "slurm" / "config.yaml").read_text())
# Jobs on CPUs with a place in the queue of their own: the first ones of a study, and long ones.
ALONE = {"resolve", "draw", "manifest", "landmarks", "split", "extract", "index", "quality"}
ALONE |= {"convert_weights", "locate"}
# Where Snakemake itself runs: nodes may have no network.
LOCAL = {"fetch_weights"}


RULES = studies.rules()


def test_every_rule_has_one_place():
    """Figures say their own: there are many, and all lie together."""
    figures = [name for name, text in RULES.items() if re.search(r'group:\s+"report"', text)]
    places = [*ALONE, *LOCAL, *SETTINGS["set-resources"], *SETTINGS["groups"], *figures]
    assert sorted(places) == sorted(RULES)
    assert {name.split("_")[0] for name in figures} == {"figure"}
    assert "report" in SETTINGS["group-components"]


def test_rules_that_may_take_a_gpu_are_sent_to_gpu_nodes():
    networks = {name for name, text in RULES.items() if "gpu=gpus" in text}
    assert set(SETTINGS["set-resources"]) == networks


def test_rules_that_need_a_network_run_where_snakemake_does():
    assert {name for name, text in RULES.items() if "localrule: True" in text} == LOCAL


def test_plan_of_a_study(tmp_path):
    config = studies.write(studies.SMALL, tmp_path)
    profile = str(studies.ROOT / "slurm")
    done = studies.snakemake(tmp_path, config, "--dry-run", "--profile", profile)
    assert done.returncode == 0, done.stdout
    # Jobs of a group are indented.
    alone = dict(
        re.findall(r"^rule (\w+):\n(?: .+\n)*? +resources: (.+)", done.stdout, re.MULTILINE)
    )
    del alone["all"]  # has no command, and so no job
    assert set(alone) <= ALONE | set(SETTINGS["set-resources"])
    for name, resources in alone.items():
        wanted = SETTINGS["set-resources"].get(name, {})
        assert ("gpu=1, " in resources) == ("gpu" in wanted)
        assert ("gpu_model=v100, slurm_partition=gpu" in resources) == ("gpu_model" in wanted)
    assert "runtime=1440" in alone["train_model"]


@pytest.mark.parametrize("group", ["cells", "predictions"])
def test_cells_share_a_place_by_number_alone(group, tmp_path):
    """Were they joined by what they need of one another, all of a study would be one job."""
    config = studies.write(studies.SMALL, tmp_path)
    profile = str(studies.ROOT / "slurm")
    one = ("--group-components", f"{group}=1")
    done = studies.snakemake(tmp_path, config, "--dry-run", "--profile", profile, *one)
    assert done.returncode == 0, done.stdout
    places = re.split(r"^.*Group job (\w+) .*\n", done.stdout, flags=re.MULTILINE)
    found = [
        len(re.findall(r"^    rule \w+:", text, re.MULTILINE))
        for name, text in zip(places[1::2], places[2::2], strict=True)
        if name == group
    ]
    assert len(found) > 3
    assert set(found) == {1}
