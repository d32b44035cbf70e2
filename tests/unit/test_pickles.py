"""Pickled arrays come back; a pickle that asks for anything else is refused and runs nothing."""

from __future__ import annotations

import copyreg
import os
import pickle
import pickletools

import numpy as np
import pretrained
import pytest

from facebias.models.architectures import pickles
from facebias.study import StudyError

ARRAYS = {
    "conv1.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "fc.bias": np.array([1.5, -2.0], dtype=np.float32),
    "bn.running_var": np.array(3.0, dtype=np.float32),
}


def same(found, expected):
    return found.keys() == expected.keys() and all(
        found[name].dtype == expected[name].dtype and np.array_equal(found[name], expected[name])
        for name in found
    )


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_arrays_come_back(tmp_path, protocol):
    path = pretrained.write_pickle(ARRAYS, tmp_path / "file.pkl", protocol)
    assert same(pickles.arrays(path), ARRAYS)


def test_pickle_of_python_2_comes_back(tmp_path):
    path = pretrained.write_python2_pickle(ARRAYS, tmp_path / "file.pkl")
    named = {operation.name for operation, _, _ in pickletools.genops(path.read_bytes())}
    assert "BINSTRING" in named  # bytes as text: Python 3 writes none
    assert same(pickles.arrays(path), ARRAYS)


def test_order_of_bytes_and_of_axes_is_kept(tmp_path):
    turned = {
        "big": np.arange(6, dtype=">f4").reshape(2, 3),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "whole": np.array([1, 2], dtype=np.int64),
    }
    found = pickles.arrays(pretrained.write_pickle(turned, tmp_path / "file.pkl", 2))
    assert all(np.array_equal(found[name], turned[name]) for name in turned)
    assert all(value.dtype.isnative and value.flags.writeable for value in found.values())


class Call:
    """Pickled, it asks for ``function`` to be called."""

    def __init__(self, function, *arguments):
        self.asked = function, arguments

    def __reduce__(self):
        return self.asked


def refused(tmp_path, content, message):
    path = tmp_path / "file.pkl"
    path.write_bytes(content)
    with pytest.raises(StudyError, match=rf"file\.pkl: not read: {message}; expected"):
        pickles.arrays(path)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_pickle_that_runs_a_command_is_refused(tmp_path, protocol):
    made = tmp_path / "made"
    content = {"fc.weight": Call(os.system, f"touch {made}"), "fc.bias": 0}
    refused(tmp_path, pickle.dumps(content, protocol), r"it asks for posix\.system")
    assert not made.exists()


@pytest.mark.parametrize(
    ("function", "arguments", "name"),
    [
        (eval, ("1 + 1",), "eval"),
        (exec, ("import os",), "exec"),
        (getattr, ("", "format"), "getattr"),
        (__import__, ("os",), "__import__"),
        (open, ("/dev/null",), "open"),
        (np.load, ("/dev/null",), "load"),
        (np.frombuffer, (b"1234",), "frombuffer"),
        (pickle.loads, (b"N.",), "loads"),
        (bytearray, (b"1",), "bytearray"),
    ],
)
def test_any_other_function_is_refused(tmp_path, function, arguments, name):
    content = pickle.dumps({"a": Call(function, *arguments)})
    refused(tmp_path, content, rf"it asks for \S*\.{name}")


def test_function_inside_an_array_is_refused(tmp_path):
    made = tmp_path / "made"
    hidden = np.array([Call(os.system, f"touch {made}")], dtype=object)
    refused(tmp_path, pickle.dumps({"a": hidden}), ".*(type O8, not numbers|posix.system)")
    assert not made.exists()


def test_function_under_a_number_is_refused(tmp_path):
    """The registry of extensions is another way to name a function."""
    made = tmp_path / "made"
    copyreg.add_extension("posix", "system", 240)
    try:
        content = pickle.dumps({"a": Call(os.system, f"touch {made}")}, 2)
        assert b"\x82\xf0" in content
        refused(tmp_path, content, r"it asks for posix\.system")
    finally:
        copyreg.remove_extension("posix", "system", 240)
    assert not made.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps([1, 2]), "it holds a list"),
        (pickle.dumps({"a": 1}), "'a' is no array"),
        (pickle.dumps({"a": np.dtype("f4")}), "'a' is no array"),
        (pickle.dumps({"a": np.array(["text"])}), ".*not numbers"),
        (pickle.dumps({"a": np.float32(1)}), r"it asks for numpy\S*\.scalar"),
        (pickle.dumps(ARRAYS)[:-20], ".+"),
        (b"", ".+"),
        (b"no pickle", ".+"),
    ],
)
def test_anything_but_a_dict_of_numbers_is_refused(tmp_path, content, message):
    refused(tmp_path, content, message)


def test_array_with_too_little_content_is_refused(tmp_path):
    content = pickle.dumps({"a": np.zeros(8, dtype=np.float32)}, 4)
    refused(tmp_path, content.replace(b"K\x08\x85", b"K\x09\x85"), ".*reshape.*")


def test_numpy_itself_never_unpickles():
    """Its own code reads sizes from the file; ours stands in for every name."""
    known = {value for value in pickles.ADMITTED.values() if callable(value)}
    assert {value.__module__ for value in known} == {"facebias.models.architectures.pickles"}
    assert len(pickles.ADMITTED) == 5
