"""Files whose names say what they are: found in folders, and read by a naming pattern."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from facebias.study import StudyError


def pattern(layout: str, suffixes: tuple[str, ...]) -> re.Pattern[str]:
    """Turn a layout such as ``{label}/{subject}.jpg`` into a regular expression.

    ``{subject}``, ``{label}`` and free names in braces stand for text without a slash; a name that
    stands twice means the same text twice. ``.*`` or ``.{ext}`` at the end means any of
    ``suffixes``. Upper and lower case of the ending do not matter.

    Raises
    ------
    StudyError
        If ``{subject}`` or ``{label}`` is missing, or a name in braces is none.
    """
    stem, dot, ending = layout.rpartition(".")
    if not dot or "/" in ending:
        raise StudyError(
            f"data.layout: {layout!r} has no ending; expected one such as .jpg, or .* for any"
        )
    if ending in ("*", "{ext}"):
        ending = "|".join(re.escape(suffix[1:]) for suffix in suffixes)
    else:
        ending = re.escape(ending)
    expression, seen = "", []
    for text, name in re.findall(r"([^{}]*)(\{[^{}]*\}|[{}]|$)", stem):
        expression += re.escape(text)
        name = name.strip("{}") if len(name) > 1 else name
        if name and not name.isidentifier():
            raise StudyError(
                f"data.layout: {layout!r}: {name!r} is no name; expected letters in braces, "
                "such as {label}/{subject}.jpg"
            )
        if name in seen:
            expression += f"(?P={name})"
        elif name:
            seen.append(name)
            expression += f"(?P<{name}>[^/]+?)"
    for name in ("subject", "label"):
        if name not in seen:
            raise StudyError(
                f"data.layout: {layout!r} has no {{{name}}}; "
                "expected such as {label}/{subject}.jpg"
            )
    return re.compile(rf"{expression}\.(?i:{ending})")


def named(
    folder: Path, expression: re.Pattern[str], *, suffixes: tuple[str, ...], where: str, kind: str
) -> list[tuple[str, re.Match[str] | None]]:
    """List the files of a kind with what their names say: paths relative to ``folder``, sorted.

    Hidden files are no samples. ``expression`` must fit the whole path; None where it does not.

    Raises
    ------
    StudyError
        If it fits none of the files, or one has a name that is no text. ``where`` names the key at
        fault and what was expected.
    """
    paths = sorted(spelled(path, folder) for path in _below(folder, suffixes))
    found = [(path, expression.fullmatch(path)) for path in paths]
    if not any(match for _, match in found):
        example = f"such as {paths[0]}" if paths else f"no file ends in {', '.join(suffixes)}"
        raise StudyError(
            f"{where} fits none of the {len(paths)} {kind}s under {folder} ({example}); "
            "change it or data.root"
        )
    return found


def _below(folder: Path, suffixes: tuple[str, ...]) -> Iterator[str]:
    """Yield what has these endings, also in folders that are links; no folder twice."""
    seen = set()
    for here, inner, names in os.walk(folder, followlinks=True):
        place, real = Path(here), os.path.realpath(here)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        for name in (*inner, *names):
            if Path(name).suffix.lower() in suffixes and not name.startswith("."):
                yield (place / name).relative_to(folder).as_posix()
        # Of a folder and a link to it beside it, the folder is the one that is read.
        shown = (name for name in inner if not name.startswith("."))
        inner[:] = sorted(shown, key=lambda name: ((place / name).is_symlink(), name))


def spelled(path: str, folder: Path) -> str:
    """Return the name of a file below ``folder``, which must be text: tables hold nothing else.

    Raises
    ------
    StudyError
        If its bytes are not UTF-8, as in archives packed on older systems.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        shown = path.encode(errors="backslashreplace").decode()
        raise StudyError(
            f"data.root: {folder} holds {shown}, a name that is not UTF-8; rename it"
        ) from None
    return path
