"""A warm process that runs Python modules: libraries are imported once, then it forks for each run.

To import them takes longer than planning a small study or than most of its jobs, and the tests have
thousands. A run is a process of its own, with the folder, environment and output of whoever asked
for it, and imports the package anew: that of its own clone.

``python warm.py FOLDER`` answers on the socket there until its standard input ends. For jobs it
writes commands ``python`` and ``snakemake`` to a folder ``bin`` there, which ask on that socket
(client.py).
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import client
import tracing
from matplotlib.figure import Figure

PACKAGE = Path(__file__).parents[2] / "workflow" / "facebias"
# What those libraries import only when it is needed, and Snakemake.
LATER = ("docutils.core", "pyarrow.parquet", "pygments.formatters.html", "snakemake.cli")


def main(folder: Path) -> None:
    """Answer until standard input ends, and end with all that still runs."""
    for name in [*libraries(PACKAGE), *LATER]:
        # Some name something in a module; a test may forbid others.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    _draw()
    threads = list(Path("/proc/self/task").glob("*"))
    assert len(threads) == 1, f"a process of {len(threads)} threads cannot be forked"
    # Not the folder of this file, which Python put there.
    del sys.path[0]
    sys.executable = str(_write_commands(folder))
    # A fork that looks for garbage would copy all memory.
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / client.SOCKET))
        listener.listen(64)
        print("ready", flush=True)
        while sys.stdin not in (ready := select.select([listener, sys.stdin], [], [], 1)[0]):
            if listener in ready:
                connection, _ = listener.accept()
                if os.fork() == 0:
                    _run(connection)
                connection.close()
            _wait_for_ended()
    # Nobody waits for what still runs: whoever asked was killed.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def libraries(package: Path) -> Iterator[str]:
    """Name the modules of others that the files of a package import at their top."""
    found = set()
    for path in package.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return (name for name in sorted(found) if name.split(".")[0] != package.name)


def _draw() -> None:
    """Draw a letter: what Matplotlib imports and reads to draw is there from then on."""
    figure = Figure()
    figure.text(0, 0, "a")
    for kind in ("pdf", "png"):
        figure.savefig(io.BytesIO(), format=kind)


def _write_commands(folder: Path) -> Path:
    """Return the command that stands for Python."""
    words = (sys.executable, "-I", "-S", client.__file__, folder / client.SOCKET, sys.executable)
    commands = {name: folder / "bin" / name for name in ("python", "snakemake")}
    commands["python"].parent.mkdir()
    for name, module in (("python", ""), ("snakemake", "-m snakemake")):
        commands[name].write_text(f'#!/bin/sh\nexec {" ".join(map(str, words))} {module} "$@"\n')
        commands[name].chmod(0o755)
    return commands["python"]


def _wait_for_ended() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _run(connection: socket.socket) -> NoReturn:
    """Run what is asked for on a connection, and answer with its exit status."""
    status, trace = 1, None
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _, streams, _, _ = socket.recv_fds(connection, 1, 2)
        asked = json.loads(connection.makefile("rb").read())
        for stream, own in zip(streams, (sys.stdout, sys.stderr), strict=True):
            os.dup2(stream, own.fileno())
            os.close(stream)
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        sys.path[:0] = [str(Path.cwd()), *filter(None, paths)]
        sys.argv = [sys.executable, *asked["arguments"]]
        if asked["module"] == "facebias":
            trace = tracing.begun(asked["arguments"])
        runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        if trace is not None:
            trace.write()
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(str(status).encode())
        os._exit(status)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
