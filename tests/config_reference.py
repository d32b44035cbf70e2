"""The table of keys in config/README.md, written from the schema.

``python tests/config_reference.py --write`` writes it; a test holds the page equal to the schema.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "config" / "README.md"
BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"


def keys() -> str:
    """Return the table of all keys as Markdown."""
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    lines = ["| key | type | default | meaning |", "|---|---|---|---|", *_rows(schema, "", schema)]
    return "\n".join(lines)


def _rows(schema: dict, prefix: str, root: dict) -> Iterator[str]:
    schema = _follow(schema, root)
    required = schema.get("required", [])
    for name, part in schema.get("properties", {}).items():
        merged = {**_follow(part, root), **part}
        path = f"{prefix}{name}"
        default = _default(merged, name in required)
        yield f"| `{path}` | {_kind(merged)} | {default} | {merged['description']} |"
        if path in ("architectures.NAME.training", "clips.variants", "data.sets"):
            continue
        yield from _rows(merged, f"{path}.", root)
        rest = merged.get("additionalProperties")
        if isinstance(rest, dict) and "array" not in str(_follow(rest, root).get("type")):
            yield from _rows(rest, f"{path}.NAME.", root)
        items = merged.get("items", {})
        if "properties" in items:
            yield from _rows(items, f"{path}[].", root)


def _follow(schema: dict, root: dict) -> dict:
    return root["$defs"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def _kind(schema: dict) -> str:
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    kinds = schema.get("type", "object")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    words = {"object": "section", "array": "list", "integer": "whole number", "string": "text"}
    return " or ".join(words.get(kind, kind) for kind in kinds)


def _default(schema: dict, required: bool) -> str:
    if "default" not in schema:
        return "needed" if required else ""
    return "" if schema["default"] == {} else f"`{json.dumps(schema['default'])}`"


def page(text: str) -> str:
    """Return the page with its table of keys as the schema has it."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{keys()}\n{END}{tail}"


if __name__ == "__main__" and "--write" in sys.argv:
    PAGE.write_text(page(PAGE.read_text()))
