"""Lets every training below a test stand still once it has saved an epoch, until it is sent on.

It saves after every epoch, however short.

Python imports this at its start where the folder is in PYTHONPATH: that reaches the jobs of a
Snakemake. What a test does to a training that stands still comes in time on any machine.
"""

import math
import os
import signal
import sys

# The first save is that of the state before the first epoch, or else the first after going on.
saves = 2


def halt(event, arguments):
    """Stop after the rename that completes the last of ``saves``: at the event that follows."""
    global saves
    if saves == 0:
        saves -= 1
        os.kill(os.getpid(), signal.SIGSTOP)
    elif event == "os.rename" and os.fspath(arguments[1]).endswith("checkpoint.pt"):
        saves -= 1


if sys.orig_argv[1:4] == ["-m", "facebias", "train"]:
    from facebias.models.training import saving

    saving.SHARE = math.inf
    sys.addaudithook(halt)
