"""Where the files of a study are: patterns such as ``models/{architecture}/seed-{seed}/x.csv``.

The rules name thousands of files by a few patterns; a command line could not hold their names.
"""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Mapping, Sequence

Names = Mapping[str, Sequence[object]]


def wildcards(pattern: str) -> list[str]:
    """List the wildcards of ``pattern``, each once, in order.

    >>> wildcards("{a}/{b}_{a}.csv")
    ['a', 'b']
    """
    return list(dict.fromkeys(name for _, name, _, _ in string.Formatter().parse(pattern) if name))


def expanded(pattern: str, names: Names) -> list[str]:
    """List the files that ``pattern`` stands for, every combination of ``names``.

    >>> expanded("{split}/seed-{seed}.csv", {"split": ["a"], "seed": [1, 2], "fold": [0]})
    ['a/seed-1.csv', 'a/seed-2.csv']
    """
    fields = wildcards(pattern)
    combinations = itertools.product(*(names[field] for field in fields))
    return [pattern.format(**dict(zip(fields, values, strict=True))) for values in combinations]


def matcher(pattern: str, names: Names) -> re.Pattern[str]:
    """Compile ``pattern`` to find its files among others; a wildcard not in ``names`` is free.

    >>> matcher("{split}/{metric}.csv", {"split": ["a", "b"]}).fullmatch("b/tpr.csv").groupdict()
    {'split': 'b', 'metric': 'tpr'}
    """
    seen: set[str] = set()
    parts = []
    for literal, field, _, _ in string.Formatter().parse(pattern):
        parts.append(re.escape(literal))
        if field in seen:
            parts.append(f"(?P={field})")
        elif field:
            seen.add(field)
            allowed = "|".join(re.escape(str(name)) for name in names.get(field, ()))
            parts.append(f"(?P<{field}>{allowed if names.get(field) else '[^/]+'})")
    return re.compile("".join(parts))
