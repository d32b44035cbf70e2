"""What holds for all tests."""

import signal

import hypothesis

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
