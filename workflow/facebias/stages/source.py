"""What each definition of a file names, read from its source: nothing is imported or run.

A definition is a function, class or constant at the top of a module. What else stands there is one
definition without a name: it runs whenever the module is imported.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

BODY = ""
DOCSTRING = "__doc__"
IMPORTS = "import"
SLOW = "pytest.mark.slow"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# Read by Python and pytest, without being named.
_UNNAMED = {"pytestmark", "pytest_plugins", "__all__"}


@dataclasses.dataclass(frozen=True)
class Named:
    """What a definition names: dotted names, texts, and texts that are put behind a folder.

    pytest gives the ``arguments`` of tests and fixtures by their names.
    """

    names: frozenset[str] = frozenset()
    arguments: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class Source:
    """A file: what its definitions name, and what its imports bind.

    ``definitions`` maps each name to what it names, ``bindings`` a name to what was imported under
    it; ``stars`` lists modules of which everything was. ``entries`` maps a registry, a dictionary
    that names modules as text, to what each of its keys names: only for who asks for that key.
    """

    definitions: Mapping[str, Named]
    bindings: Mapping[str, str] = dataclasses.field(default_factory=dict)
    stars: tuple[str, ...] = ()
    entries: Mapping[str, Mapping[str, Named]] = dataclasses.field(default_factory=dict)
    statements: Mapping[str, list[ast.stmt]] = dataclasses.field(default_factory=dict)
    text: str = ""
    _codes: dict[str, str] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    def code(self, name: str) -> str:
        """Return a digest of the syntax tree of a definition, without docstrings and keys."""
        if name not in self._codes:
            trees = map(_tree, self.statements.get(name, ()))
            does = repr([self._bound(name), *trees])
            self._codes[name] = hashlib.sha256(does.encode()).hexdigest()
        return self._codes[name]

    def mark(self, name: str) -> str | None:
        """Return a text that differs where a definition does; None: there is none."""
        if name not in self.definitions:
            return None
        if name == IMPORTS:
            return repr([sorted(self.bindings.items()), self.stars])
        return repr([self._bound(name), self.text, *map(ast.dump, self.statements.get(name, ()))])

    def _bound(self, name: str) -> list[tuple[str, str]]:
        """List what a definition names of what was imported, and where from."""
        heads = {full.split(".")[0] for full in self.definitions[name].names}
        return sorted((head, self.bindings[head]) for head in heads & self.bindings.keys())


IMPORT = re.compile(r"^(?:from [\w.]+ )?import (?:\([^)]*\)|[^\n(]*)", re.M)
CHAIN = re.compile(r"\w+(?:\.\w+)*")
MODULE = re.compile(r"\bfacebias(?:\.\w+)+(?::\w+)?")


@functools.cache
def python(text: str) -> Source:
    """Read a module of Python."""
    tree = ast.parse(text)
    bindings, stars = _imports(tree)
    parts: dict[str, list[ast.stmt]] = {BODY: []}
    for statement in tree.body:
        for name in _defined(statement):
            parts.setdefault(name, []).append(statement)
    found = {name: _entries(statements[-1]) for name, statements in parts.items() if statements}
    entries = {name: registry for name, registry in found.items() if registry}
    definitions = {
        name: _named(*statements, without_texts=name in entries)
        for name, statements in parts.items()
    }
    return Source({IMPORTS: Named(), **definitions}, bindings, tuple(stars), entries, parts)


def assigned(path: Path, name: str) -> ast.expr | None:
    """Return what the name of a constant is assigned in a file, without importing it."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and name in _defined(statement):
            return statement.value
    return None


def _tree(node: ast.AST) -> str:
    """Write a syntax tree without docstrings and keys of a configuration."""
    words: list[str] = []
    _write(node, words)
    return " ".join(words)


def _write(node: object, words: list[str]) -> None:
    if isinstance(node, ast.AST):
        words.append(type(node).__name__)
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(node, ast.ClassDef) and field == "body":
                value = [each for each in node.body if not _is_key(each)]
            if value.__class__ is not ast.Load:
                _write(value, words)
        words.append(")")
    elif isinstance(node, list):
        for each in node:
            if not _is_docstring(each):
                _write(each, words)
        words.append("]")
    else:
        words.append(repr(node))


def _is_key(statement: ast.stmt) -> bool:
    """Tell whether a statement declares a key: its values are settings, and no code."""
    value = getattr(statement, "value", None)
    return isinstance(value, ast.Call) and _chain(value.func) == "key"


def _is_docstring(node: object) -> bool:
    """Tell whether a statement is a text that nothing reads."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
        return False
    return isinstance(node.value.value, str)


@functools.cache
def rules(text: str) -> Source:
    """Read a file of Snakemake, which is nearly Python: one definition.

    Texts name no module there: a plan runs no job.
    """
    bindings, stars = _imports(ast.parse("\n".join(IMPORT.findall(text))))
    # The import statements come back as names; they name no more than what they bind.
    code = IMPORT.sub("", text)
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    spaced = (
        each.string if each.string == "." or each.string.isidentifier() else " " for each in tokens
    )
    names = frozenset(CHAIN.findall(" ".join(spaced).replace(" . ", ".")))
    paths = frozenset(re.findall(r'"(?!facebias\.)([^"{}\s]+\.\w+)"', code))
    named = Named(names, texts=paths)
    return Source({BODY: named}, bindings, tuple(stars), text=text)


def other(text: str) -> Source:
    """Read a file of another kind, which names nothing."""
    return Source({BODY: Named()}, text=text)


def is_slow(read: Source, name: str) -> bool:
    """Tell whether a test is marked as slow, or all of its file are."""
    (test, *_) = read.statements[name]
    marks = {_chain(each) for each in getattr(test, "decorator_list", ())}
    return SLOW in marks | read.definitions[BODY].names


def _imports(tree: ast.Module) -> tuple[dict[str, str], list[str]]:
    """Map what all imports of a module bind, wherever they stand, to dotted names."""
    bindings: dict[str, str] = {}
    stars = []
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                head = alias.name.split(".")[0]
                bindings[alias.asname or head] = alias.name if alias.asname else head
        elif isinstance(node, ast.ImportFrom) and node.module:
            stars += [node.module for alias in node.names if alias.name == "*"]
            for alias in node.names:
                bindings[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    bindings.pop("*", None)
    return bindings, stars


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Walk the statements under ``node``: nothing is imported within an expression."""
    for field in ("body", "orelse", "handlers", "finalbody", "cases"):
        for child in getattr(node, field, ()):
            yield child
            yield from _statements(child)


def _defined(statement: ast.stmt) -> list[str]:
    """Name what a statement at the top of a module defines."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return []
    if isinstance(statement, _FUNCTIONS):
        # A fixture that is always used is named by nobody.
        always = any("autouse" in ast.dump(each) for each in statement.decorator_list)
        return [statement.name, *[BODY] * always]
    if isinstance(statement, ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = getattr(statement, "targets", [getattr(statement, "target", None)])
        names = [
            node.id for each in targets for node in ast.walk(each) if isinstance(node, ast.Name)
        ]
        return [BODY if name in _UNNAMED else name for name in names] or [BODY]
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return [DOCSTRING]
    return [BODY]


def _entries(statement: ast.stmt) -> dict[str, Named]:
    """Read a registry: what a dictionary that names modules as text names by key."""
    value = getattr(statement, "value", None)
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or not isinstance(value, ast.Dict):
        return {}
    found = {
        key.value: _named(each)
        for key, each in zip(value.keys, value.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    modules = (text for each in found.values() for text in each.texts if MODULE.match(text))
    return found if any(modules) else {}


def _named(*nodes: ast.AST, without_texts: bool = False) -> Named:
    visitor = _Visitor()
    for node in nodes:
        visitor.visit(node)
    return Named(
        frozenset(visitor.names),
        frozenset(visitor.arguments),
        frozenset(() if without_texts else visitor.texts),
        frozenset(visitor.folders),
    )


class _Visitor(ast.NodeVisitor):
    """Gathers what code names. Annotations of functions never run; docstrings are no texts."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.own: set[str] = set()
        self.arguments: set[str] = set()
        self.texts: set[str] = set()
        self.folders: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        (self.own if isinstance(node.ctx, ast.Store) else self.names).add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        chain = _chain(node)
        if chain:
            self.names.add(chain)
        else:
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.texts.add(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        right = node.right
        if isinstance(node.op, ast.Div) and isinstance(right, ast.Constant):
            self.folders.add(str(right.value))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Read ``setattr(module, "name", ...)`` as a name of the module, not as all of it."""
        function = _chain(node.func).rpartition(".")[2]
        match node.args:
            case [first, ast.Constant(value=str(name)), *rest] if function in (
                "getattr",
                "setattr",
                "delattr",
                "hasattr",
            ) and _chain(first):
                self.names.add(f"{_chain(first)}.{name}")
                for each in (node.func, *rest):
                    self.visit(each)
            case _:
                self.generic_visit(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += filter(None, [arguments.vararg, arguments.kwarg])
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        self._within(*every, *body)
        # Of the scope around it.
        defaults = filter(None, [*arguments.defaults, *arguments.kw_defaults])
        for each in (*defaults, *getattr(node, "decorator_list", ())):
            self.visit(each)

    def visit_arg(self, node: ast.arg) -> None:
        """Leave annotations out: they never run."""
        self.arguments.add(node.arg)
        self.own.add(node.arg)

    def _comprehension(self, node: ast.expr) -> None:
        self._within(*ast.iter_child_nodes(node))

    def _within(self, *nodes: ast.AST) -> None:
        """Visit what has names of its own: those that it binds mean nothing outside."""
        outside, self.names, self.own = (self.names, self.own), set(), set()
        for each in nodes:
            self.visit(each)
        inside = {name for name in self.names if name.split(".")[0] not in self.own}
        self.names, self.own = outside[0] | inside, outside[1]

    visit_FunctionDef = visit_AsyncFunctionDef = _function
    visit_Lambda = _function
    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension


def _chain(node: ast.AST) -> str:
    """Return ``a.b.c`` for attributes of a name, and nothing for others."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := _chain(node.value)):
        return f"{before}.{node.attr}"
    return ""
