"""The warm process behind whole studies in tests: a fork is like a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import client
import psutil
import pytest
import studies
import warm

ASKS = (
    "import os, pathlib, sys; print(os.getcwd(), os.environ['WORD'], sys.argv[1:]);"
    "print('told', file=sys.stderr); sys.exit(3)"
)


pytestmark = pytest.mark.xdist_group("warm")


@pytest.fixture
def address():
    return studies.warm()


def module(folder: Path, text: str) -> dict[str, str]:
    """Write a module and give the environment in which it is found."""
    (folder / "asked.py").write_text(text)
    return {**studies.ENVIRONMENT, "PYTHONPATH": str(folder), "WORD": "of its own"}


def run(address, tmp_path, text, *arguments):
    environment = module(tmp_path, text)
    with open(tmp_path / "said", "w+") as said:
        out = {"out": said.fileno(), "err": said.fileno()}
        status = client.run(
            address, "asked", arguments, folder=tmp_path, environment=environment, **out
        )
        said.seek(0)
        return status, said.read()


def test_folder_environment_arguments_output_and_status_are_those_of_whoever_asks(
    address, tmp_path
):
    status, said = run(address, tmp_path, ASKS, "one", "two words")
    assert status == 3
    assert said == f"{tmp_path} of its own ['one', 'two words']\ntold\n"


def test_an_error_is_a_traceback_and_status_1(address, tmp_path):
    status, said = run(address, tmp_path, "raise ValueError('wrong')")
    assert status == 1
    assert said.startswith("Traceback")
    assert "ValueError: wrong" in said


def test_a_run_that_is_killed_has_the_status_that_a_shell_gives(address, tmp_path):
    text = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run(address, tmp_path, text) == (128 + signal.SIGKILL, "")


def test_a_run_imports_the_package_that_its_path_names(address, tmp_path):
    (tmp_path / "facebias").mkdir()
    (tmp_path / "facebias" / "__init__.py").write_text("WHICH = 'another'\n")
    assert run(address, tmp_path, "import facebias; print(facebias.WHICH)") == (0, "another\n")
    real = "import facebias, sys; print('facebias.study' in sys.modules)"
    shutil.rmtree(tmp_path / "facebias")
    assert run(address, tmp_path, real) == (0, "False\n")


def test_the_command_of_jobs_runs_real_python_for_anything_else(address):
    python = address.parent / "bin" / "python"
    done = subprocess.run([python, "-c", "print(6 * 7)"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "42\n")


def test_nothing_runs_on_when_the_process_ends(tmp_path):
    """Otherwise what an interrupted test had begun would poll for ever."""
    with studies.warm_process() as address:
        text = "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\n"
        environment = module(tmp_path, text + "while True: time.sleep(0.1)")
        asker = os.fork()
        if asker == 0:
            quiet = os.open(os.devnull, os.O_WRONLY)
            said = {"out": quiet, "err": quiet}
            client.run(address, "asked", (), folder=tmp_path, environment=environment, **said)
            os._exit(0)
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.01)
        os.kill(asker, signal.SIGKILL)
        os.waitpid(asker, 0)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_libraries_are_what_the_package_imports_of_others():
    names = set(warm.libraries(warm.PACKAGE))
    assert {"torch", "pandas", "matplotlib.figure", "zennit.rules"} <= names
    assert not any(name.split(".")[0] == "facebias" for name in names)
