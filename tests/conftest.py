"""What holds for all tests."""

import signal

import hypothesis

# Machines are shared: a test counts work, not milliseconds.
hypothesis.settings.register_profile("shared", deadline=None)
hypothesis.settings.load_profile("shared")

# A shell without job control starts what runs in the background with interrupts ignored, and so is
# every process below it: tests that send one would wait for nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
