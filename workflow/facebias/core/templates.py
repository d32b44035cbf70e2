"""Pages written from templates, which lie beside the module that fills them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2


def environment(
    folder: Path, filters: Mapping[str, Callable[..., Any]] | None = None, **options: Any
) -> jinja2.Environment:
    """Return the templates of a folder. What a template names and is not given is an error.

    Parameters
    ----------
    folder
        Where the templates are.
    filters
        Functions that they may use, by name.
    **options
        Of ``jinja2.Environment``; without ``autoescape=True`` text is written as it is.
    """
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        **{"trim_blocks": True, "lstrip_blocks": True, **options},
    )
    found.filters |= filters or {}
    return found
