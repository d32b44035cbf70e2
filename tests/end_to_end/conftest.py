"""One small study, run once for all tests here: each is of the group `small_study`."""

import pytest
import studies


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """Return a clone of the project in which the small study was run, and its configuration.

    Tests leave both as they are; one that runs something else does so in a copy.
    """
    folder = tmp_path_factory.mktemp("small")
    clone = studies.clone(folder / "clone")
    config = studies.write(studies.SMALL, folder)
    done = studies.snakemake(clone, config, root=clone)
    assert done.returncode == 0, done.stdout
    return clone, config
