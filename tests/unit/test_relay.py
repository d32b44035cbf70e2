"""SIGTERM reaches the stages below a process that only waits for its shell command."""

import subprocess
import sys

# Stands for Snakemake: sets a handler of its own later, runs a command in a shell and waits.
WAITING = """
import signal, subprocess, sys
from facebias.workflow import relay
relay.pass_on()
signal.signal(signal.SIGTERM, lambda number, frame: print("noted", flush=True))
print("ended", subprocess.run(["bash", "-c", sys.argv[1]]).returncode, flush=True)
"""
# Stands for a training.
SAVING = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("ready", flush=True)
signal.sigwait({signal.SIGTERM})
sys.exit(75)
"""
COMMAND = """
sleep infinity & # no stage
{python} {saving} -m facebias train
code=$?
kill -0 $! && echo "left alone" && kill $!
exit $code
"""


def test_sigterm_is_passed_on_to_stages_alone(tmp_path):
    saving = tmp_path / "saving.py"
    saving.write_text(SAVING)
    command = COMMAND.format(python=sys.executable, saving=saving)
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, command], stdout=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.stdout.readline() == "ready\n"
        waiting.terminate()
        lines = waiting.stdout.read().splitlines()
    assert sorted(lines[:-1]) == ["left alone", "noted"]
    assert lines[-1] == "ended 75"
    assert waiting.returncode == 0
