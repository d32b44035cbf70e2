"""Files of weights from an address: whole or not at all, no byte twice where a sum proves it."""

from __future__ import annotations

import hashlib
import http.server
import re
import threading

import pytest

from facebias.models.architectures import fetching
from facebias.study import StudyError

CONTENT = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves ``content`` and counts what it sends; can break off, or know no parts."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.sent, self.breaks_after, self.knows_parts = CONTENT, 0, None, True
        self.url = f"http://127.0.0.1:{self.server_port}/weights.pth"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, start = self.server, 0
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted and server.knows_parts:
            start = int(wanted[1])
            if start >= len(server.content):
                self.send_error(416)
                return
        part = server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        part = part[: server.breaks_after]
        server.sent += len(part)
        self.wfile.write(part)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server():
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def fetch(server, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def run(sha256=DIGEST, url=None):
        out, partial = tmp_path / "weights" / "file", tmp_path / "checkpoints" / "file.part"
        return fetching.fetch(url or server.url, out, partial=partial, sha256=sha256)

    return run


def left(tmp_path):
    return sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize("sha256", [DIGEST, DIGEST[:8], None])
def test_file_comes_whole(server, fetch, tmp_path, sha256):
    assert fetch(sha256) == DIGEST
    assert (tmp_path / "weights/file").read_bytes() == CONTENT
    assert left(tmp_path) == ["weights/file"]
    assert not (tmp_path / "checkpoints").exists()
    assert server.sent == len(CONTENT)


def test_fetching_goes_on_where_it_broke_off(server, fetch, tmp_path):
    server.breaks_after = 300_000
    with pytest.raises(
        StudyError, match=r"broke off after 300000 of 1024000 bytes.*run this again"
    ):
        fetch()
    assert left(tmp_path) == ["checkpoints/file.part"]
    server.breaks_after = None
    assert fetch() == DIGEST
    assert server.sent == len(CONTENT)
    assert left(tmp_path) == ["weights/file"]


def test_without_a_sum_it_starts_anew(server, fetch, tmp_path):
    server.breaks_after = 300_000
    with pytest.raises(StudyError):
        fetch(None)
    server.content, server.breaks_after = CONTENT[::-1], None
    fetch(None)
    assert (tmp_path / "weights/file").read_bytes() == CONTENT[::-1]


def test_server_that_knows_no_parts_sends_all(server, fetch, tmp_path):
    server.breaks_after, server.knows_parts = 300_000, False
    with pytest.raises(StudyError):
        fetch()
    server.breaks_after = None
    assert fetch() == DIGEST
    assert server.sent == 300_000 + len(CONTENT)


def test_whole_part_is_not_fetched_again(server, fetch, tmp_path):
    partial = tmp_path / "checkpoints/file.part"
    partial.parent.mkdir()
    partial.write_bytes(CONTENT)
    assert fetch() == DIGEST
    assert server.sent == 0


def test_another_file_is_refused_and_not_kept(server, fetch, tmp_path):
    server.content = CONTENT + b"more"
    with pytest.raises(StudyError, match=rf"SHA-256 [0-9a-f]{{64}}, expected {DIGEST}"):
        fetch()
    assert left(tmp_path) == []
    server.content = CONTENT
    assert fetch() == DIGEST


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/file", "nothing://there", "file:///no/such"])
def test_address_without_an_answer_says_what_to_do(fetch, url):
    with pytest.raises(StudyError, match=rf"{url}: cannot be fetched .*weights\.source"):
        fetch(url=url)


def test_command_reads_a_file_of_this_machine(tmp_path, capsys):
    (tmp_path / "here").write_bytes(CONTENT)
    where = ["--partial", str(tmp_path / "part"), "--out", str(tmp_path / "out")]
    fetching.main(["--url", (tmp_path / "here").as_uri(), *where])
    assert (tmp_path / "out").read_bytes() == CONTENT
    assert f"SHA-256 {DIGEST}" in capsys.readouterr().err
