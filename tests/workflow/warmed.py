"""Run a make target, Snakemake and all jobs as forks of a warm process: ``warmed.py demo``."""

import subprocess
import sys

import studies

with studies.warm_process() as address:
    command = ["make", *sys.argv[1:], f"BIN={address.parent / 'bin'}"]
    status = subprocess.run(command, check=False).returncode
sys.exit(status)
