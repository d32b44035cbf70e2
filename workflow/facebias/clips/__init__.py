"""From a video or picture to a clip: aligned crops of one face at the key frames.

``decode`` reads frames, ``keyframes`` picks some, ``faces`` finds and cuts the face, ``store``
keeps the crops, ``stage`` does all of it for one shard and ``index`` puts the shards together.
"""

from __future__ import annotations

from pathlib import Path


class UnusableError(Exception):
    """A single sample that cannot become a clip.

    The message is the reason in words, "kind: detail": kinds are counted, details are for people.
    """


def require_file(path: Path) -> None:
    """Refuse what is there and no file: to open a pipe would wait for ever.

    Raises
    ------
    UnusableError
        If it is a folder, a pipe or a device.
    """
    if path.exists() and not path.is_file():
        raise UnusableError(f"not a file: {path.name}")
