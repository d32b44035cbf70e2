"""Small ways to break code: each changes one place of a file's text, and says what kind it is.

Never in docstrings, annotations, decorators, messages of errors or other texts.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import re
from collections.abc import Iterator

Change = tuple[str, ast.AST, str]

COMPARED = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
COMPUTED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
NAMES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "minimum": "maximum",
    "maximum": "minimum",
    "argmin": "argmax",
    "argmax": "argmin",
    "nanmin": "nanmax",
    "nanmax": "nanmin",
    "floor": "ceil",
    "ceil": "floor",
    "first": "last",
    "mean": "sum",
}


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One way to break a file: the text at ``start`` of ``line`` is ``before``, to be ``after``."""

    path: str
    definition: str
    kind: str
    line: int
    start: int
    before: str
    after: str

    @property
    def name(self) -> str:
        """Return a name on one line that stays while the rest of the file changes."""
        before, after = (" ".join(text.split()) for text in (self.before, self.after))
        return f"{self.path}::{self.definition}: {self.kind}: {before} -> {after}"

    def applied(self, text: str) -> str:
        """Break ``text``."""
        offset = sum(map(len, text.splitlines(keepends=True)[: self.line - 1])) + self.start
        assert text[offset:].startswith(self.before), self
        return text[:offset] + self.after + text[offset + len(self.before) :]


def mutants(path: str, text: str) -> list[Mutant]:
    """List every way to break a file of Python, or of Snakemake."""
    if path.endswith(".py"):
        return list(_of_python(path, text))
    return [*_of_blocks(path, text), *_of_rules(path, text)]


def _of_python(path: str, text: str, first: int = 0) -> Iterator[Mutant]:
    lines = text.encode().splitlines(keepends=True)  # columns are counted in bytes
    for statement in ast.parse(text).body:
        for kind, node, after in _changes(statement):
            before = _segment(lines, node)
            start = len(lines[node.lineno - 1][: node.col_offset].decode())
            if before != after:
                place = (node.lineno + first, start)
                yield Mutant(path, _defined(statement), kind, *place, before, after)


def _segment(lines: list[bytes], node: ast.AST) -> str:
    """Return the source of a node; ``ast.get_source_segment`` splits the whole file every time."""
    *most, last = lines[node.lineno - 1 : node.end_lineno]
    return b"".join([*most, last[: node.end_col_offset]])[node.col_offset :].decode()


def _of_blocks(path: str, text: str) -> Iterator[Mutant]:
    """Break what is plain Python in a file of rules."""
    for found in re.finditer(r"^(?=\S)[^\n]*\n(?:(?:[ \t)\]}][^\n]*)?\n)*", text, re.M):
        block, first = found.group(), text.count("\n", 0, found.start())
        try:
            yield from _of_python(path, block, first)
        except SyntaxError:
            continue  # a rule


def _of_rules(path: str, text: str) -> Iterator[Mutant]:
    """Remove an input or parameter that the command of the rule does not name."""
    for rule in re.finditer(r"^rule (\w+):\n(?:(?: [^\n]*)?\n)+", text, re.M):
        for found in re.finditer(r"^ {8}(\w+)=.*,\n", rule.group(), re.M):
            name = found.group(1)
            if not re.search(rf"{{(?:input|params|output)\.{name}\b", rule.group()):
                line = text.count("\n", 0, rule.start() + found.start()) + 1
                yield Mutant(path, rule[1], "dropped input", line, 0, found.group(), "")


def _defined(statement: ast.stmt) -> str:
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    return getattr(statement, "name", None) or getattr(targets[0], "id", "")


def _changes(node: ast.AST) -> Iterator[Change]:
    """Yield every change of a statement or expression, and of what is in it."""
    for rule in CHANGES:
        yield from rule(node)
    for child in _running(node):
        yield from _changes(child)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a node whose change a user could see."""
    left_out = {"annotation", "returns", "decorator_list", "type_ignores", "format_spec"}
    if isinstance(node, ast.Raise | ast.Import | ast.ImportFrom | ast.Assert | ast.JoinedStr):
        return
    if isinstance(node, ast.Assign) and "__all__" in ast.dump(node.targets[0]):
        return
    if isinstance(node, ast.If) and re.search("TYPE_CHECKING|__name__", ast.dump(node.test)):
        return
    for name, value in ast.iter_fields(node):
        if name not in left_out:
            values = value if isinstance(value, list) else [value]
            yield from (each for each in values if isinstance(each, ast.AST))


def _text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "value", None), str)


def _with(node: ast.AST, **fields: object) -> str:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    written = ast.unparse(changed)
    return f"({written})" if isinstance(node, ast.BinOp | ast.BoolOp | ast.Compare) else written


def _compared(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            ops = [*node.ops[:place], COMPARED[type(operator)](), *node.ops[place + 1 :]]
            yield "comparison", node, _with(node, ops=ops)


def _computed(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and type(node.op) in COMPUTED:
        if not (_text(node.left) or _text(node.right)):
            yield "arithmetic", node, _with(node, op=COMPUTED[type(node.op)]())
    elif isinstance(node, ast.AugAssign) and type(node.op) in COMPUTED:
        yield "arithmetic", node, _with(node, op=COMPUTED[type(node.op)]())


def _constant(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield "other truth", node, str(not node.value)
        elif isinstance(node.value, int):
            yield "off by one", node, str(node.value + 1)
        elif isinstance(node.value, float):
            yield "other number", node, repr(node.value * 2 if node.value else 0.5)


def _logical(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "and, or", node, _with(node, op=other)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield "removed not", node, f"({ast.unparse(node.operand)})"
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield "negated condition", node.test, f"(not ({ast.unparse(node.test)}))"


def _dropped(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Raise():
            yield "removed raise", node, "pass"
        case ast.Return(value=ast.AST() as value) if ast.unparse(value) != "None":
            yield "returned nothing", node, "return None"
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Delete():
            yield "dropped statement", node, "pass"
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield "dropped statement", node, "pass"
        case ast.Continue():
            yield "dropped statement", node, "break"


def _called(node: ast.AST) -> Iterator[Change]:
    if not isinstance(node, ast.Call):
        return
    match node.args:
        case [ast.expr() as first, ast.expr() as second, *rest] if not (
            {type(first), type(second)} & {ast.Starred} or ast.dump(first) == ast.dump(second)
        ):
            yield "swapped arguments", node, _with(node, args=[second, first, *rest])
    for place, keyword in enumerate(node.keywords):
        others = node.keywords[:place] + node.keywords[place + 1 :]
        if keyword.arg not in (None, "help", "prog", "description", "metavar"):
            yield "dropped keyword", node, _with(node, keywords=others)
    function = ast.unparse(node.func)
    if function == "sorted" and not any(each.arg == "reverse" for each in node.keywords):
        reverse = ast.keyword("reverse", ast.Constant(True))
        yield "reversed", node, _with(node, keywords=[*node.keywords, reverse])


def _named(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Name) and function.id in NAMES:
            yield "other function", function, NAMES[function.id]
        elif isinstance(function, ast.Attribute) and function.attr in NAMES:
            yield "other function", function, _with(function, attr=NAMES[function.attr])
    elif isinstance(node, ast.keyword) and node.arg in ("axis", "dim"):
        number = getattr(node.value, "value", None)
        if number in (0, 1):
            yield "other axis", node, f"{node.arg}={1 - number}"


CHANGES = (_compared, _computed, _constant, _logical, _dropped, _called, _named)
