"""What is said of a job that failed, from its logs."""

import logging

import pytest
from snakemake.logging import LogEvent, logger

from facebias.workflow import failures


@pytest.fixture
def log(tmp_path):
    def write(text, name="index.log"):
        path = tmp_path / name
        path.write_bytes(text.encode("latin-1"))
        return str(path)

    return write


def test_error_of_the_stage_is_all_that_is_shown(log):
    path = log("extract faces: 3 of 9 samples\nfacebias index: data.root: gone;\n  mend it\n")
    said = failures.describe("index", [path])
    assert said == (
        f"Why index failed ({path}):\n    facebias index: data.root: gone;\n      mend it"
    )


def test_of_a_traceback_the_last_lines_are_shown(log):
    lines = [f"  line {number}" for number in range(50)]
    path = log("\n".join(["Traceback (most recent call last):", *lines, "KeyError: 'a'"]))
    said = failures.describe("index", [path]).splitlines()
    assert len(said) == 1 + failures.LAST_LINES
    assert said[-1] == "    KeyError: 'a'"


def test_job_that_died_without_a_word_shows_what_every_log_holds(log):
    own, cluster = log("epoch 3\n"), log("oom_kill\n", "slurm.log")
    said = failures.describe("train_model", [own, "missing.log", cluster])
    assert said == (
        f"train_model failed and did not say why.\nLast lines of {own}:\n    epoch 3\n"
        f"Last lines of {cluster}:\n    oom_kill"
    )


def test_stage_that_names_the_reason_outranks_a_log_before_it(log):
    cluster, own = log("started\n", "slurm.log"), log("facebias index: no disk\n")
    assert failures.describe("index", [cluster, own]).endswith("facebias index: no disk")


@pytest.mark.parametrize("logs", [[], ["missing.log"]])
def test_no_log_is_said_to_be_none(logs):
    assert "Why index failed is not known" in failures.describe("index", logs)


def test_job_of_a_group_is_shown_only_if_its_log_says_that_it_failed(log):
    """Snakemake reports every job of a group as failed when one of them is."""
    went_well, failed = log("gap: 3 of 3\n"), log("facebias fairness: no disk\n", "failed.log")
    assert failures.describe("cell_fairness", [went_well], sure=False) is None
    assert failures.describe("cell_fairness", [], sure=False) is None
    assert "no disk" in failures.describe("cell_fairness", [failed], sure=False)


def test_log_that_is_no_text_is_read_all_the_same(log):
    assert "caf\ufffd" in failures.describe("index", [log("facebias index: caf\xe9")])


def test_failures_alone_are_followed_by_a_reason(log, caplog):
    failures.show_reasons()
    (handler,) = [each for each in logger.handlers if isinstance(each, failures.FailureHandler)]
    failed = {"rule_name": "index", "log": [log("facebias index: no disk")], "indent": False}
    try:
        logger.error("index failed", extra={"event": LogEvent.JOB_ERROR, **failed})
        logger.error("something else")
        logger.log(logging.INFO, "started", extra={"event": LogEvent.JOB_STARTED, **failed})
    finally:
        logger.removeHandler(handler)
    assert sum("no disk" in message for message in caplog.messages) == 1
