"""The command line: every stage answers, and errors are one line without a traceback."""

import pytest

from facebias import __main__ as command
from facebias.stages import STAGES


def test_help_lists_every_stage(capsys):
    assert command.main(["--help"]) == 0
    printed = capsys.readouterr().out
    for name, stage in STAGES.items():
        assert f"  {name} " in printed
        assert stage.purpose in printed


def test_nothing_asked_is_an_error(capsys):
    assert command.main([]) == 2
    assert "usage" in capsys.readouterr().out


def test_unknown_stage(capsys):
    assert command.main(["trian"]) == 2
    assert "no stage 'trian'" in capsys.readouterr().err


def test_a_missing_file_is_one_line(tmp_path, capsys):
    out = tmp_path / "out.csv"
    assert command.main(["gather", "metrics", "--out", str(out), str(tmp_path / "no.csv")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("facebias gather: ")
    assert "no.csv" in said
    assert "Traceback" not in said
    assert not out.exists()


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_has_help(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main([name, "--help"])
    assert stopped.value.code == 0
    assert "usage: facebias" in capsys.readouterr().out
