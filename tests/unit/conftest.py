"""What several files of these tests share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import annotated
import pytest


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Run torch on one thread from a fixed seed, and let it choose its algorithms again after."""
    import torch  # a second, which most tests need not wait

    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="module")
def unit_data(tmp_path_factory) -> Path:
    """Draw miniatures of CK+ and of the Actor Study, which tests leave as they are."""
    return annotated.write(tmp_path_factory.mktemp("drawn"))


@pytest.fixture
def unit_data_copy(unit_data, tmp_path) -> Path:
    """Copy them, to be changed."""
    return Path(shutil.copytree(unit_data, tmp_path / "copy"))
