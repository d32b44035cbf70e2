"""Clips are read while a GPU computes: the same, in the same order, and no error is lost."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import synthetic
import torch
from fitting import fit, same, small

from facebias.data.cohort import Reader
from facebias.models.training import feeding
from facebias.models.training.checkpoint import Checkpoint
from facebias.models.training.interruption import Interrupted, Interruption
from facebias.study import StudyError

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return synthetic.make(tmp_path_factory.mktemp("made"), subjects=6, validation=2, test=1)


@pytest.fixture
def as_for_a_gpu(monkeypatch):
    """Read as for a GPU where there is none, and no memory can be pinned."""
    monkeypatch.setattr(feeding, "_asynchronous", lambda device: True)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor.clone())


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert [each.name for each in threading.enumerate() if each.name.startswith("reader")] == []


def numbers(n, taken):
    for number in range(n):
        taken.append((number, threading.current_thread() is threading.main_thread()))
        yield np.full(3, number)


def test_a_cpu_reads_in_place_what_it_is_asked_for():
    taken = []
    with feeding.ahead(numbers(4, taken), CPU) as read:
        assert next(read).tolist() == [0, 0, 0]
        assert taken == [(0, True)]
        assert [int(each[0]) for each in read] == [1, 2, 3]


@pytest.mark.usefixtures("as_for_a_gpu")
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_for_a_gpu_a_thread_reads_one_ahead(n):
    taken, found = [], []
    with feeding.ahead(numbers(n, taken), CPU) as read:
        for tensor in read:
            found.append(int(tensor[0]))
            deadline = time.monotonic() + 10
            while len(taken) < min(len(found) + 1, n) and time.monotonic() < deadline:
                time.sleep(0.001)
            assert len(taken) == min(len(found) + 1, n)
    assert found == list(range(n))
    assert taken == [(number, False) for number in range(n)]


@pytest.mark.usefixtures("as_for_a_gpu")
def test_what_reading_raises_is_raised_where_it_is_asked_for():
    def torn():
        yield np.zeros(1)
        yield np.ones(1)
        raise StudyError("clips: shard-000.npy does not exist; run the target clips again")

    found = []
    with (
        pytest.raises(StudyError, match=r"shard-000\.npy does not exist; run"),
        feeding.ahead(torn(), CPU) as read,
    ):
        found.extend(int(each[0]) for each in iter(lambda: next(read), None))
    with feeding.ahead(torn(), CPU) as read:
        assert [next(read).item(), next(read).item()] == [0, 1]
        with pytest.raises(StudyError):
            next(read)


@pytest.mark.usefixtures("as_for_a_gpu")
def test_leaving_ends_the_thread():
    with pytest.raises(Interrupted), feeding.ahead(numbers(100, []), CPU) as read:
        next(read)
        raise Interrupted


class After(Interruption):
    """A signal that comes after some steps."""

    left = 3

    def before(self, items):
        for item in super().before(items):
            self.left -= 1
            if self.left == 0:
                self.note(15)
            yield item


@pytest.mark.parametrize("limit", [0, 1e9], ids=["from files", "in memory"])
def test_trained_alike_whoever_reads(made, tmp_path, monkeypatch, request, limit):
    """Also where it is stopped on the way, and then goes on."""
    monkeypatch.setattr(Reader.__init__, "__kwdefaults__", {"limit": limit})
    architecture = small(epochs=3, dropout=0.3)
    whole, history = fit(made, architecture)
    request.getfixturevalue("as_for_a_gpu")
    kept = Checkpoint(tmp_path, "key")
    with pytest.raises(Interrupted, match="epoch 2"):
        fit(made, architecture, checkpoint=kept, interruption=After())
    found, again = fit(made, architecture, checkpoint=Checkpoint(tmp_path, "key"))
    assert same(whole, found)
    assert history.equals(again)


@pytest.mark.parametrize("reads", ["in place", "as for a GPU"])
def test_small_arrays_arrive_as_they_were(request, reads):
    if reads != "in place":
        request.getfixturevalue("as_for_a_gpu")
    arrays = {
        "targets": np.array([[0, np.nan, 1]], np.float32),
        "none": np.empty(0, np.int64),
        "flags": np.array([True, False, True]),
        "positions": np.arange(3),
        "matrices": np.random.default_rng(1).normal(size=(3, 2, 3)).astype(np.float32),
        "doubles": np.linspace(0, 1, 5)[::2],
    }
    found = feeding.send(arrays, CPU)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == torch.from_numpy(array.copy()).dtype
        np.testing.assert_array_equal(found[name].numpy(), array)
