"""A study is held by one process, as long as that lives."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from facebias.core.replacement import OutputError
from facebias.study import StudyError
from facebias.workflow import lock

HOLD = """
import subprocess, sys
from facebias.workflow import lock
lock.hold(sys.argv[1])
# A job that is left behind when its Snakemake is killed: it ends with its input.
job = subprocess.Popen(["cat"])
print(job.pid, flush=True)
job.wait()
"""


def test_a_study_is_held_until_its_process_is_killed_even_if_jobs_go_on(tmp_path):
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLD, tmp_path / "study"]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        job = int(holder.stdout.readline())
        with pytest.raises(StudyError, match="another Snakemake is at work on this study; wait"):
            lock.hold(tmp_path / "study")
        lock.hold(tmp_path / "other")
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert Path(f"/proc/{job}").exists()
        lock.hold(tmp_path / "study")


def test_a_disk_that_is_read_only_says_what_to_do(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(lock.os, "open", refuse)
    with pytest.raises(OutputError, match=r"study/\.lock: cannot be written \(Read-only file"):
        lock.hold(tmp_path / "study")
