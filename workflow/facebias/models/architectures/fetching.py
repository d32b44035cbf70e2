"""Fetch a file of pretrained weights: needs a network, and neither torch nor a GPU."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path

from facebias.core import provenance
from facebias.core.replacement import replacing
from facebias.models.architectures import formats
from facebias.stages.data import Fetch
from facebias.study import StudyError

TIMEOUT = 60  # seconds without an answer
AT_ONCE = 1024 * 1024
PARTIAL_CONTENT, NOT_SATISFIABLE = 206, 416  # HTTP


def fetch(url: str, out: Path, *, partial: Path, sha256: str | None) -> str:
    """Fetch ``url`` to ``out``, which appears only when it is whole.

    Parameters
    ----------
    url
        Address of the file.
    out
        Where it goes.
    partial
        Where it grows, on the same disk. With a checksum a later run goes on from what is there;
        without one nothing could tell whether both parts are of one file, and it starts anew.
    sha256
        The checksum, or its first digits; None: not known.

    Returns
    -------
    The SHA-256 of the file.

    Raises
    ------
    StudyError
        If the file cannot be fetched, is cut short or has another checksum.
    """
    partial.parent.mkdir(parents=True, exist_ok=True)
    if sha256 is None:
        partial.unlink(missing_ok=True)
    try:
        _grow(url, partial)
    except (OSError, ValueError) as error:
        raise StudyError(
            f"{url}: cannot be fetched ({error}); run this again, or fetch the file elsewhere and "
            "name its path in architectures.NAME.weights.source"
        ) from None
    found = provenance.digest(partial)
    try:
        formats.check_digest(url, found, sha256)
    except StudyError:
        partial.unlink()
        raise
    with replacing(out) as temporary:
        partial.replace(temporary)
    with contextlib.suppress(OSError):
        os.removedirs(partial.parent)  # as far as they are empty
    return found


def _grow(url: str, partial: Path) -> None:
    """Append to ``partial`` what is missing of ``url``.

    Raises
    ------
    OSError, ValueError
        If there is no answer or it breaks off; what has come is kept.
    """
    done = partial.stat().st_size if partial.exists() else 0
    headers = {"User-Agent": "facebias"} | ({"Range": f"bytes={done}-"} if done else {})
    try:
        answer = urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=TIMEOUT
        )
    except urllib.error.HTTPError as error:
        if done and error.code == NOT_SATISFIABLE:
            return  # it is all there
        raise
    with answer:
        goes_on = answer.status == PARTIAL_CONTENT
        with open(partial, "ab" if goes_on else "wb") as file:
            before = file.tell()
            shutil.copyfileobj(answer, file, AT_ONCE)
            came = file.tell() - before
        length = answer.headers.get("Content-Length")
    if length is not None and came != int(length):
        raise OSError(f"it broke off after {came} of {length} bytes")


def main(arguments: list[str]) -> None:
    """Fetch a file of pretrained weights."""
    given = Fetch.of(arguments)
    found = fetch(given.url, given.out, partial=given.partial, sha256=given.sha256)
    print(f"{given.url}: SHA-256 {found}", file=sys.stderr)
