"""What holds for all tests."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["changed"]

# Machines are shared: a test counts work, not milliseconds, nor how long it takes to draw examples.
hypothesis.settings.register_profile(
    "shared", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared")

# A shell without job control starts what runs in the background with interrupts ignored, nohup with
# hang-ups, and so is every process below it: tests that send one would wait for nothing.
for ignored, usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(ignored) is signal.SIG_IGN:
        signal.signal(ignored, usual)


@pytest.fixture(scope="module", autouse=True)
def process_as_found() -> Iterator[None]:
    """Undo what the tests of a file change in the process, which those of other files share."""
    folder, environment = Path.cwd(), dict(os.environ)
    silenced = {logger for logger in _loggers() if logger.disabled}
    yield
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for logger in _loggers():
        logger.disabled = logger in silenced
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.use_deterministic_algorithms(False)
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)


def _loggers() -> list[logging.Logger]:
    known = logging.Logger.manager.loggerDict.values()
    return [each for each in known if isinstance(each, logging.Logger)]
