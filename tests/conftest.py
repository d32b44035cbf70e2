"""What holds for all tests."""

import hypothesis

# Machines are shared: a test counts work, not milliseconds.
hypothesis.settings.register_profile("shared", deadline=None)
hypothesis.settings.load_profile("shared")
