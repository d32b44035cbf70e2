"""The table of keys in config/README.md and the schema for editors, written from the settings.

``python tests/config_reference.py --write`` writes them; tests hold them equal to the settings.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from facebias import study

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "config" / "README.md"
SCHEMA = ROOT / "config" / "schema.json"
BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"


def keys() -> str:
    """Return the table of all keys as Markdown."""
    given = study.schema(study.File)
    lines = ["| key | type | default | meaning |", "|---|---|---|---|", *_rows(given, "", given)]
    return "\n".join(lines)


def _rows(schema: dict, prefix: str, root: dict) -> Iterator[str]:
    required = schema.get("required", [])
    for name, part in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        # Not said again where it is said of the section.
        meaning = part.get("description") or _follow(part, root)["description"]
        default = _default(part, name in required)
        yield f"| `{path}` | {_kind(part, root)} | {default} | {meaning} |"
        if path in ("architectures.NAME.training", "clips.variants", "data.sets"):
            continue
        for inner in _alternatives(part, root):
            yield from _rows(inner, f"{path}.", root)
            named = [
                *inner.get("patternProperties", {}).values(),
                inner.get("additionalProperties"),
            ]
            for each, place in [*((one, ".NAME") for one in named), (inner.get("items"), "[]")]:
                if isinstance(each, dict):
                    yield from _rows(_follow(each, root), f"{path}{place}.", root)


def _follow(schema: dict, root: dict) -> dict:
    return root["$defs"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def _alternatives(schema: dict, root: dict) -> list[dict]:
    return [_follow(one, root) for one in schema.get("anyOf", [schema])]


def _kind(schema: dict, root: dict) -> str:
    words = {"object": "section", "array": "list", "integer": "whole number", "string": "text"}
    kinds = []
    for one in _alternatives(schema, root):
        kinds += [f"`{value}`" for value in one.get("enum", [])] or [
            words.get(one["type"], one["type"])
        ]
    return (" \\| " if "`" in kinds[0] else " or ").join(kinds)


def _default(schema: dict, required: bool) -> str:
    if required:
        return "needed"
    return f"`{json.dumps(schema['default'])}`" if "default" in schema else ""


def page(text: str) -> str:
    """Return the page with its table of keys as the schema has it."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{keys()}\n{END}{tail}"


def schema() -> str:
    """Return the text of the JSON schema."""
    given = study.schema(study.File)
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | given, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__" and "--write" in sys.argv:
    PAGE.write_text(page(PAGE.read_text()))
    SCHEMA.write_text(schema())
