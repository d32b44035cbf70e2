"""Runs of Snakemake with the SLURM profile, and what SLURM knows about their jobs."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import standstill
import studies
import yaml

PROFILE = "slurm"
SETTINGS = yaml.safe_load((studies.ROOT / PROFILE / "config.yaml").read_text())
# Has every stage up to explanation; four models, so that more than two want a GPU.
CONFIG = studies.changed(studies.SMALL, {"splits.test": {"all": {}}})
# SLURM is asked every few seconds, not at the longer intervals that suit a real cluster.
POLLING = [
    *("--slurm-init-seconds-before-status-checks", "2"),
    *("--seconds-between-status-checks", "2"),
]
# Seconds after which a run is given up: the executor plugin can wait for ever for a lost job.
PATIENCE = 1200
# Values may hold spaces, names such as NtasksPerN:B:S:C or CPUs/Task do not.
FIELDS = re.compile(r" (?=[A-Z][\w:/]*=)")


@dataclasses.dataclass(frozen=True)
class Job:
    """One job in SLURM's memory: its fields as ``scontrol`` names them."""

    fields: dict[str, str]

    @property
    def number(self) -> str:
        return self.fields["JobId"]

    @property
    def state(self) -> str:
        return self.fields["JobState"]

    @property
    def name(self) -> str:
        """Name of its rule, or of its group and rules."""
        return self.fields["Comment"].removeprefix("rule_").partition("_wildcards_")[0]

    @property
    def gpus(self) -> str:
        """What it asked for, such as ``gres:gpu:v100:1``; empty for none."""
        return self.fields.get("TresPerJob", "")

    def time(self, event: str) -> float:
        """When it was submitted (``SubmitTime``), started or ended; seconds."""
        return datetime.datetime.fromisoformat(self.fields[event]).timestamp()


class Study:
    """A study in a folder of its own, run through the profile.

    Parameters
    ----------
    folder
        Holds the configuration and all that is made.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.profile = PROFILE
        self.output = folder / "output.txt"

    @property
    def results(self) -> Path:
        return self.folder / "results" / "small"

    def start(
        self, *targets: str, halting: bool = False, options: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        """Start ``snakemake --profile slurm``; its output is added to ``output``.

        With ``halting``, every training stands still when it has saved an epoch.
        """
        with self.output.open("a") as output:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", "snakemake", "--profile", self.profile),
                    *("--directory", str(self.folder)),
                    *("--configfile", str(self.folder / "config.yaml"), "--nocolor"),
                    *(*POLLING, "--latency-wait", "20", *options, "--", *targets),
                ],
                cwd=studies.ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=standstill.environment() if halting else None,
            )

    def halted(self, process: subprocess.Popen[bytes], number: int = 1) -> list[psutil.Process]:
        """Wait until so many trainings stand still, as long as ``process`` runs."""
        while len(standing := list(self._standing())) < number:
            assert process.poll() is None, self.output.read_text()
            time.sleep(0.2)
        return standing

    def _standing(self) -> Iterator[psutil.Process]:
        for process in standstill.standing(psutil.process_iter()):
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.cwd() == str(self.folder):
                    yield process

    def run(self, *targets: str) -> None:
        """Run ``snakemake --profile slurm`` to its end, which must be a good one."""
        with self.start(*targets) as process:
            self.finish(process)

    def finish(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for the end of a run, which must be a good one; send on what stands still."""
        until = time.monotonic() + PATIENCE
        try:
            while process.poll() is None and time.monotonic() < until:
                for training in self._standing():
                    training.resume()
                time.sleep(0.5)
            assert process.poll() == 0, self.output.read_text()
        finally:
            process.kill()

    def jobs(self) -> list[Job]:
        """List the jobs of this study in order, those that have ended included."""
        command = ["scontrol", "show", "jobs", "--oneliner"]
        shown = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        jobs = [
            Job(dict(field.split("=", maxsplit=1) for field in FIELDS.split(line.strip())))
            for line in shown.stdout.splitlines()
            if line.startswith("JobId=")
        ]
        own = [job for job in jobs if job.fields["WorkDir"] == str(self.folder)]
        return sorted(own, key=lambda job: int(job.number))

    def job(self, number: str) -> Job:
        """Return one job by its number."""
        return next(job for job in self.jobs() if job.number == number)

    def copy(self, folder: Path) -> Study:
        """Copy the study as it stands, with what Snakemake knows about its files.

        ``folder`` lies beside its own: the paths of the code, which are inputs, stay the same.
        """
        assert folder.parent == self.folder.parent
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        (folder / self.output.name).unlink()
        return Study(folder)


def wait_for(condition: Callable[[], object], *, process: subprocess.Popen[bytes]) -> None:
    """Wait until ``condition`` holds, as long as ``process`` runs."""
    while not condition():
        assert process.poll() is None, "it ended before"
        time.sleep(0.2)
