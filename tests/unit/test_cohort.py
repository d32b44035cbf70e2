"""What a model reads of its clips."""

import numpy as np
import pytest

from facebias.data import cohort

MEBI = 1024**2


class Store:
    """Clips of one frame of 8 MiB, which take no memory, and how many were read at once."""

    def __init__(self, n):
        self.samples = [str(number) for number in range(n)]
        self.read_at_once = []

    def read(self, samples, frames=None):
        self.read_at_once.append(len(samples))
        return np.broadcast_to(np.uint8(0), (len(samples), 1, MEBI, 8, 1))


@pytest.mark.parametrize(("n", "read"), [(32, [1, 32]), (33, [1, 2, 2])])
def test_clips_are_held_up_to_a_quarter_of_a_gibibyte(n, read):
    store = Store(n)
    reader = cohort.Reader(store, store.samples, frames=None)
    assert [len(reader[np.array(positions)]) for positions in ([0, 1], [5, 3])] == [2, 2]
    assert store.read_at_once == read
    assert len(reader) == n


def test_batches_hold_every_clip_once():
    store = Store(5)
    reader = cohort.Reader(store, store.samples, frames=None, limit=0)
    assert [len(batch) for batch in reader.batches(2)] == [2, 2, 1]
