"""Outputs appear whole or not at all, wherever the run that writes them is killed."""

from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from facebias.core import replacement
from facebias.core.replacement import OutputError, replacing

TRACED = {module.__file__ for module in (replacement, shutil, tempfile)}


def write_file(path, text):
    with replacing(path) as temporary:
        temporary.write_text(text[:1])
        temporary.write_text(text)


def write_folder(path, text):
    with replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "one").write_text(text)
        (temporary / "two").write_text(text)


def content(path):
    """Return what a file, or the files of a folder, hold; nothing if there is none."""
    files = sorted(path.iterdir()) if path.is_dir() else [path] if path.exists() else []
    return [file.read_text() for file in files]


def killed_at(line, write, path):
    """Write ``path`` in a process that is killed at the ``line``-th line; tell whether it was."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    left = [line]

    def trace(frame, event, argument):
        if frame.f_code.co_filename not in TRACED:
            return None
        left[0] -= event == "line"
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    write(path, "new")
    os._exit(0)


def in_a_small_process(function, *arguments):
    """Call a function in a new process: to fork this large one hundreds of times takes a minute."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def kill_writing(folder, write, new):
    """Kill the writing of an output at every line; list what was there after each kill."""
    seen, line, killed = [], 0, True
    while killed:
        line += 1
        own = folder / str(line)
        own.mkdir()
        write(own / "out", "old")
        killed = killed_at(line, write, own / "out")
        seen.append(content(own / "out"))
        # The next run is killed as well, in the middle of removing what the first one left.
        killed_at(line // 2, write, own / "out")
        seen.append(content(own / "out"))
        if write is write_file:
            other = shutil.copytree(own, folder / f"{line}-removed")
            replacement.remove(other / "out")
            assert list(other.iterdir()) == []
        write(own / "out", "new")
        assert content(own / "out") == new
        assert [path.name for path in own.iterdir()] == ["out"]
    return seen, line


@pytest.mark.parametrize(
    ("write", "old", "new"),
    [(write_file, ["old"], ["new"]), (write_folder, ["old", "old"], ["new", "new"])],
    ids=["file", "folder"],
)
def test_killed_at_any_line(tmp_path, write, old, new):
    seen, lines = in_a_small_process(kill_writing, tmp_path, write, new)
    assert lines > 100
    # A folder cannot be replaced in one step; a file is never away.
    away = [[]] if write is write_folder else []
    assert all(found in [old, new, *away] for found in seen)
    assert old in seen
    assert new in seen


def kill_removing(folder):
    """Kill the removal of an output at every line; give the number of lines."""
    path, line, killed = folder / "out", 0, True
    while killed:
        line += 1
        write_file(path, "old")
        left = folder / ".out.abcdefgh"
        (left / "work").mkdir(parents=True)
        (left / replacement.HELD).touch()
        killed = killed_at(line, lambda path, text: replacement.remove(path), path)
        # While anything is left, so is the file that tells the next run to remove it.
        assert path.exists() or not list(folder.iterdir())
        replacement.remove(path)
        assert list(folder.iterdir()) == []
    return line


def test_removing_that_is_killed_at_any_line_is_done_by_the_next(tmp_path):
    assert in_a_small_process(kill_removing, tmp_path) > 50


def test_run_that_still_writes_is_left_alone(tmp_path):
    path = tmp_path / "out"
    with replacing(path) as slow:
        slow.write_text("slow")
        with replacing(path) as fast:
            fast.write_text("fast")
        assert path.read_text() == "fast"
        assert slow.read_text() == "slow"
    assert path.read_text() == "slow"
    assert list(tmp_path.iterdir()) == [path]


def test_only_folders_of_the_same_output_are_swept(tmp_path):
    for name in (
        ".out.csv.abcdefgh",
        ".out.parquet.abcdefgh",
        ".out.[ab].abcdefgh",
        "out.abcdefgh",
    ):
        (tmp_path / name).mkdir()
    (tmp_path / ".out.csv.afile123").touch()
    write_file(tmp_path / "out.csv", "new")
    write_file(tmp_path / "out.[ab]", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".out.csv.afile123",
        ".out.parquet.abcdefgh",
        "out.[ab]",
        "out.abcdefgh",
        "out.csv",
    ]


def test_folder_that_another_run_takes_away_is_made_anew(tmp_path, monkeypatch):
    real, made = tempfile.mkdtemp, []

    def taken_away(**options):
        made.append(real(**options))
        if len(made) == 1:
            shutil.rmtree(tmp_path / "empty")
        elif len(made) == 2:
            Path(made[-1]).rmdir()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", taken_away)
    write_file(tmp_path / "empty" / "out", "new")
    assert len(made) == 3
    assert [path.name for path in (tmp_path / "empty").iterdir()] == ["out"]


def test_disk_without_locks_is_written_to_and_never_swept(tmp_path, monkeypatch):
    def flock(file, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    left = tmp_path / ".out.abcdefgh"
    left.mkdir()
    (left / replacement.HELD).touch()
    write_file(tmp_path / "out", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [left.name, "out"]


@pytest.mark.parametrize("number", replacement.REMEDIES)
def test_output_that_cannot_be_written_is_named_with_what_to_do(tmp_path, number):
    path = tmp_path / "out"
    path.write_text("old")
    with pytest.raises(OutputError) as caught, replacing(path) as temporary:
        temporary.write_text("half")
        raise OSError(number, os.strerror(number))
    said = str(caught.value)
    assert said.startswith(f"{path}: cannot be written ({os.strerror(number)}); ")
    assert "run the same command again" in said or "set results in the configuration" in said
    assert content(path) == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_in_a_folder_names_the_folder(tmp_path):
    """The table's own path is a temporary one, which means nothing to anybody."""
    with (
        pytest.raises(OutputError, match=rf"^{tmp_path}/model: cannot be written"),
        replacing(tmp_path / "model") as folder,
        replacing(folder / "table") as temporary,
    ):
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "full")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOENT])
def test_input_that_cannot_be_read_is_not_mistaken_for_the_output(tmp_path, number):
    with pytest.raises(OSError, match="film") as caught, replacing(tmp_path / "out" / "clips"):
        raise OSError(number, os.strerror(number), "/films/film.mp4")
    assert not isinstance(caught.value, OutputError)
