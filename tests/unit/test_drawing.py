"""Figures drawn again: what a user is told. What is drawn: end_to_end."""

import pytest

from facebias.workflow import drawing


class Api:
    """Snakemake's, which says what it was asked to say and where."""

    def __init__(self, output):
        self.output = output

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        return False

    def print_exception(self, error):
        print(error, self.output.stdout, self.output.show_failed_logs)


def test_a_study_that_cannot_be_read_is_said_where_results_are(monkeypatch, capsys):
    def opened(api, arguments):
        raise ValueError("no such file")

    monkeypatch.setattr(drawing, "SnakemakeApi", Api)
    monkeypatch.setattr(drawing, "opened", opened)
    with pytest.raises(SystemExit) as ended:
        drawing.main(["--cores", "1"])
    assert ended.value.code == 1
    assert capsys.readouterr().out == "no such file True True\n"
