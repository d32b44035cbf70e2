"""Plans studies: Snakemake is imported once, then forked for every plan.

Its import takes longer than planning a small study, and there are a hundred plans. The server of
``multiprocessing`` would not do: other tests let it import the package, and a plan must import that
of its own clone.

For every line on standard input, a JSON list of a file and arguments of Snakemake, the file gets
all that Snakemake says and standard output its exit status.
"""

from __future__ import annotations

import json
import os
import sys
from typing import NoReturn

from snakemake import cli


def main() -> None:
    """Plan for every line, until there are no more."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _plan(*json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _plan(said: str, *arguments: str) -> NoReturn:
    descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(descriptor, stream.fileno())
    status = 1
    try:
        cli.main(arguments)
    except SystemExit as ended:
        status = ended.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
