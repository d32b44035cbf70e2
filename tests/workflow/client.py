"""Asks a warm process to run ``python -m MODULE ...``; without it, runs the real Python.

As a command, ``client.py SOCKET PYTHON ARGUMENTS``. It imports little: it starts for every job.
"""

import json
import os
import socket
import sys

SOCKET = "socket"
# The other end was killed, as a shell says of one that got SIGKILL.
KILLED = 137


def run(address, module, arguments, *, folder, environment, out, err):
    """Have a module run in ``folder``, its output to descriptors; return its exit status."""
    asked = {
        "module": module,
        "arguments": list(arguments),
        "folder": str(folder),
        "environment": dict(environment),
    }
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(address))
        socket.send_fds(connection, [b" "], [out, err])
        connection.sendall(json.dumps(asked).encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(16), b""))
    return int(answer) if answer else KILLED


def main(address, python, *arguments):
    if arguments[:2] not in (("-m", "facebias"), ("-m", "snakemake")):
        os.execv(python, [python, *arguments])
    here = {"folder": os.getcwd(), "environment": os.environ, "out": 1, "err": 2}  # noqa: PTH109
    sys.exit(run(address, arguments[1], arguments[2:], **here))


if __name__ == "__main__":
    main(*sys.argv[1:])
