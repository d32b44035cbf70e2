"""No command of a large study is longer than a shell takes."""

from __future__ import annotations

import pytest
import studies

# Snakemake gives a command to bash as one argument; Linux takes 32 pages (MAX_ARG_STRLEN).
LONGEST = 32 * 4096


@pytest.mark.slow
def test_commands_of_a_study_of_1500_models(tmp_path):
    changes = {
        "architectures.cnn3d": ...,
        "splits.train.female": ...,
        "splits.holdout": ...,
        "splits.folds": {"k": 4},
        "seeds": list(range(1, 376)),
    }
    config = studies.write(studies.changed(studies.SMALL, changes), tmp_path)
    said = studies.plan(tmp_path, config, "--quiet", "progress", "--printshellcmds").stdout
    lengths = {}
    for line in said.splitlines():
        if (command := line.removeprefix("Shell command: ")) != line:
            stage = " ".join(command.split()[3:5])  # behind `python -m facebias`
            lengths[stage] = max(lengths.get(stage, 0), len(command.encode()))
    # Both that name every model: what is gathered of all predictions and of all histories.
    assert min(lengths["gather predictions"], lengths["gather history"]) > LONGEST / 2
    assert max(lengths.values()) < LONGEST, lengths
