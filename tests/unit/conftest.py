"""What several files of these tests share."""

from collections.abc import Iterator

import pytest


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Run torch on one thread from a fixed seed, and let it choose its algorithms again after."""
    import torch  # a second, which most tests need not wait

    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.use_deterministic_algorithms(False)
