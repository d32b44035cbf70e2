"""What was read of source files is kept by its content, and never needed."""

from __future__ import annotations

import marshal
import shutil

import pytest

from facebias.stages import closure, source, source_cache
from facebias.stages.closure import Package
from facebias.stages.source_cache import SourceCache

ENTRIES = ("facebias.__main__:main", "facebias.data.splits.stage:main")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a copy of the package without what was kept."""
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(closure.PACKAGE.folder, tmp_path / "facebias", ignore=ignored)


@pytest.fixture
def reads(monkeypatch):
    """Return a list that grows with every file that is read anew."""
    found = []
    python = source.python
    monkeypatch.setattr(source, "python", lambda text: found.append(text) or python(text))
    return found


def test_what_is_kept_gives_the_same_digests_and_is_not_read_again(folder, reads):
    first = Package(folder).digests(*ENTRIES)
    read = len(reads)
    assert read > 10
    assert Package(folder).digests(*ENTRIES) == first
    assert len(reads) == read
    # Another stage reaches further files.
    Package(folder).digests("facebias.models.prediction:main")
    assert len(reads) > read


@pytest.mark.parametrize(
    "entries", [ENTRIES, ("facebias.tables",), ("facebias.presentation.report.start_page",)]
)
def test_every_definition_is_kept_as_it_was_read(folder, entries):
    once = Package(folder)
    found = once.reached(*entries)
    once.digests(*entries)
    again = Package(folder)
    assert again.reached(*entries) == found
    for module, name in found:
        assert again.source(module).code(name) == once.source(module).code(name)
        assert again.source(module).definitions == once.source(module).definitions
        assert again.source(module).bindings == once.source(module).bindings


def test_a_file_that_changed_is_read_anew_however_old_it_looks(folder, reads):
    before = Package(folder).digests(*ENTRIES)
    path = folder / "data/splits/drawing.py"
    read = len(reads)
    path.write_text(f"{path.read_text()}\nprint()\n")
    after = Package(folder).digests(*ENTRIES)
    assert len(reads) == read + 1
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"facebias/data/splits/drawing.py"}


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", marshal.dumps(3), marshal.dumps(("old", {}))]
)
def test_what_cannot_be_used_is_replaced(folder, reads, content):
    before = Package(folder).digests(*ENTRIES)
    path = SourceCache(folder).path
    path.write_bytes(content)
    read = len(reads)
    assert Package(folder).digests(*ENTRIES) == before
    assert len(reads) == 2 * read
    assert Package(folder).digests(*ENTRIES) == before
    assert len(reads) == 2 * read
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_folder_that_cannot_be_written_takes_the_time_again(folder, reads):
    (folder / "__pycache__").write_text("not a folder")
    before = Package(folder).digests(*ENTRIES)
    read = len(reads)
    assert Package(folder).digests(*ENTRIES) == before
    assert len(reads) == 2 * read


def test_nothing_is_written_where_python_writes_no_compiled_files(folder, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    Package(folder).digests(*ENTRIES)
    assert not (folder / "__pycache__").exists()


def test_another_way_of_reading_keeps_nothing(folder, reads, monkeypatch, tmp_path):
    Package(folder).digests(*ENTRIES)
    read = len(reads)
    edited = tmp_path / "source.py"
    edited.write_text("# Reads in another way.")
    monkeypatch.setattr(source_cache.source, "__file__", str(edited))
    Package(folder).digests(*ENTRIES)
    assert len(reads) == 2 * read
