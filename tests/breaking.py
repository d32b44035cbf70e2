"""Break the code in many small ways, and see whether the suite notices each.

``python tests/breaking.py`` draws mutants (see ``mutations``) from a seed, over all rooms of the
package and the rules in proportion to their code, and at least three of each. Every mutant is made
in a copy of the project, and the tests that reach it run there, near and cheap ones first, until
one fails or takes far too long. Those that survive meet the whole studies with ``--whole``.

Results are kept in ``tests/benchmarks/breaks.json``, and a summary in ``BREAKS.md`` beside it. What
is there already is not run again, but for survivors with ``--again``; what the code no longer has
makes way for others. Mutants that change nothing that anyone could see are listed under
``equivalent`` in the file, by name, with the reason.

``--like RESULTS`` judges the mutants of other results, with what noticed them first, in a file of
its own (``--results``): all of them today, or with ``--root`` in a clone at an earlier commit. The
verdicts of that go into the summary with ``--before``.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import importlib
import itertools
import json
import random
import tempfile
import time
import xml.etree.ElementTree as xml
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import changed
import copied
import mutations
import reach
from facebias.stages import source
from mutations import Mutant
from reach import Graph, Node

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "tests/benchmarks/breaks.json"
RULES = "workflow/rules/"
LEAST = 3
# What takes longer runs after all that does not.
CHEAP = 2.0
# Of a test that was not measured, and of one that plans studies.
UNMEASURED, PLAN = 0.5, 5.0
PLANS = "tests/workflow/"
SURVIVED = "survived"
LINE = 200
# They read the code, and run none of it.
READING = ("tests/unit/test_changed.py", "tests/unit/test_breaking.py")
# Imported once, before the copies: what the tests wait for.
LIBRARIES = (
    "captum.attr",
    "cv2",
    "facenet_pytorch",
    "h5py",
    "hypothesis.extra.numpy",
    "jsonschema",
    "matplotlib.pyplot",
    "pandas",
    "pyarrow.parquet",
    "rocrate.rocrate",
    "scipy.stats",
    "sklearn.metrics",
    "torchvision.models",
    "zennit.rules",
)


def room(path: str) -> str:
    """Name the part of the project that a file is of: a room of the package, or the rules."""
    if path.startswith(RULES):
        return "rules"
    parts = PurePosixPath(path.removeprefix(reach.PACKAGE)).parts
    return "drawn people" if "drawn" in parts else parts[0]


def draw(texts: Mapping[str, str], number: int, seed: int) -> list[Mutant]:
    """Draw mutants: as many of each room as it has code, and every kind as often as can be."""
    rooms: dict[str, list[str]] = collections.defaultdict(list)
    for path in sorted(texts):
        if path.startswith((reach.PACKAGE, RULES)) and path.endswith((".py", ".smk")):
            rooms[room(path)].append(path)
    sizes = {name: sum(len(texts[path].split("\n")) for path in rooms[name]) for name in rooms}
    return [
        mutant
        for name, share in shares(sizes, number).items()
        for mutant in _of_room({path: texts[path] for path in rooms[name]}, share, f"{seed} {name}")
    ]


def still(results: Mapping[str, Any], texts: Mapping[str, str]) -> list[Mutant]:
    """Find the mutants of results in texts that may have changed: each where it was, or nearest."""
    found = []
    for name, result in results.items():
        path = result["path"]
        alike = [each for each in mutations.mutants(path, texts.get(path, "")) if each.name == name]
        found += sorted(alike, key=lambda each: abs(each.line - result["line"]))[:1]
    return found


def filled(mutants: list[Mutant], drawn: Iterable[Mutant]) -> list[Mutant]:
    """Add drawn mutants to others, until every room has as many as were drawn of it."""
    names = {each.name for each in mutants}
    missing = collections.Counter(room(each.path) for each in drawn)
    missing.subtract(room(each.path) for each in mutants)
    added = []
    for each in drawn:
        if missing[room(each.path)] > 0 and each.name not in names:
            missing[room(each.path)] -= 1
            added.append(each)
    return mutants + added


def shares(sizes: Mapping[str, int], number: int) -> dict[str, int]:
    """Share a number out in proportion to sizes, and at least ``LEAST`` to each."""
    found = {name: max(LEAST, number * size // sum(sizes.values())) for name, size in sizes.items()}
    largest = sorted(sizes, key=sizes.get, reverse=True)
    turn = 0
    while (missing := number - sum(found.values())) and number >= LEAST * len(sizes):
        name = largest[turn % len(largest)]
        found[name] = max(LEAST, found[name] + (1 if missing > 0 else -1))
        turn += 1
    return found


def _of_room(texts: Mapping[str, str], number: int, seed: str) -> list[Mutant]:
    chance = random.Random(seed)
    kinds: dict[str, list[Mutant]] = collections.defaultdict(list)
    for path, text in texts.items():
        for mutant in mutations.mutants(path, text):
            kinds[mutant.kind].append(mutant)
    drawn: list[Mutant] = []
    while len(drawn) < number:
        for kind in chance.sample(sorted(kinds), len(kinds)):
            mutant = chance.choice(kinds[kind])
            if all(mutant.name != other.name for other in drawn):
                drawn.append(mutant)
    return drawn[:number]


def tests_of(graph: Graph, mutant: Mutant, *, whole: bool) -> dict[Node, int]:
    """Map the tests that reach a mutant to their distance: whole studies, or all others."""
    node = (mutant.path, mutant.definition if mutant.path.endswith(".py") else source.BODY)
    if not whole:
        ways = changed.choose(graph, {node}).ways
        return {test: way.steps for test, way in ways.items() if test[0] not in READING}
    return {test: way.steps for test, way in graph.reached({node}).items() if graph.is_slow(test)}


def took(test: Node, seconds: Mapping[Node, float]) -> float:
    """Return how long a test takes, or might."""
    return seconds.get(test, PLAN if test[0].startswith(PLANS) else UNMEASURED)


def within(tests: Sequence[Node], seconds: Mapping[Node, float], most: float) -> list[Node]:
    """Keep the first tests that take so long together."""
    total = itertools.accumulate(took(test, seconds) for test in tests)
    return [test for test, sum_ in zip(tests, total, strict=True) if sum_ <= most]


def ordered(steps: Mapping[Node, int], seconds: Mapping[Node, float]) -> list[Node]:
    """Order tests: cheap ones first, then near ones and those that cost little, file by file."""

    def cost(test: Node) -> float:
        return took(test, seconds) * (1 + steps[test]) ** 2

    files: dict[str, float] = collections.defaultdict(lambda: float("inf"))
    for test in steps:
        files[test[0]] = min(files[test[0]], cost(test))
    return sorted(
        steps,
        key=lambda test: (took(test, seconds) > CHEAP, files[test[0]], test[0], cost(test)),
    )


def read(path: Path) -> dict[str, Any]:
    """Read kept results, if there are any."""
    kept = {"equivalent": {}, "mutants": {}}
    return kept | (json.loads(path.read_text()) if path.exists() else {})


def measured(path: Path | None) -> dict[Node, float]:
    """Read how long each test took from a file that ``pytest --junitxml`` wrote."""
    found: dict[Node, float] = collections.defaultdict(float)
    for case in xml.parse(path).iter("testcase") if path else ():
        file = case.get("classname").replace(".", "/") + ".py"
        found[file, case.get("name").split("[")[0]] += float(case.get("time"))
    return dict(found)


def break_all(
    mutants: Iterable[Mutant],
    verdict: Callable[[Mutant], dict[str, Any]],
    results: dict[str, Any],
    keep: Callable[[], None],
) -> None:
    """Find the verdict on every mutant, and keep each at once."""
    for mutant in mutants:
        begun = time.monotonic()
        found = verdict(mutant)
        took = round(time.monotonic() - begun)
        results[mutant.name] = {**dataclasses.asdict(mutant), **found, "seconds": took}
        keep()
        print(f"{found['verdict']:9} {took:4} s  {mutant.name}  {found['by'] or ''}", flush=True)


def false_alarms(
    copy: Path, results: Mapping[str, Any], seconds: Mapping[Node, float]
) -> Iterator[str]:
    """Yield what noticed a break and fails as well where nothing is broken."""
    noticed = {found["by"] for found in results.values() if found["by"]}
    while noticed:
        tests = [tuple(by.split("[")[0].split("::")) for by in sorted(noticed) if "::" in by]
        by = copied.failing(copy, sorted(set(tests)), seconds)
        if by is None:
            return
        noticed = {each for each in noticed if each.split("[")[0] != by.split("[")[0]}
        yield by


def suite(test: str) -> str:
    """Name the part of the suite that a test is of."""
    return test.split("/")[1] if test.startswith(("tests/unit", "tests/workflow")) else "whole"


def short(text: str) -> str:
    return text if len(text) < LINE else f"{text[: LINE // 2]} … {text[-LINE // 2 :]}"


def summary(kept: Mapping[str, Any]) -> str:
    """Write the summary page."""
    results, equivalent, before = kept["mutants"], kept["equivalent"], kept.get("before", {})
    rows: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for name, found in results.items():
        for key in (room(found["path"]), "all"):
            unnoticed = "equivalent" if name in equivalent else SURVIVED
            rows[key][unnoticed if found["verdict"] == SURVIVED else suite(found["by"])] += 1
            rows[key]["broken"] += 1
            rows[key]["before"] += before.get(name) == "caught"
    head = ("before", "unit", "workflow", "whole", "equivalent", SURVIVED)
    lines = [
        "# Does the suite notice when the code breaks?\n",
        f"{len(results)} small breaks of the code, drawn from seed {kept['seed']} by"
        " `python tests/breaking.py`; which tests noticed them.",
        "A break that changes nothing that anyone could see is equivalent. Before: noticed by the"
        " suite as it was, of whose tests the nearest and cheapest ran.\n",
        "| room | broken | before | by unit tests | by plans | by whole studies | equivalent"
        " | survived |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in [*sorted(set(rows) - {"all"}), "all"]:
        cells = (rows[name][key] for key in ("broken", *head))
        lines.append(f"| {name} | " + " | ".join(map(str, cells)) + " |")
    survived = {name for name, found in results.items() if found["verdict"] == SURVIVED}
    escaped = {name for name in survived if before.get(name) == "caught"}
    for title, chosen in (
        ("Survived", survived - set(equivalent)),
        ("Survived, and noticed before", escaped),
        ("Equivalent", survived & set(equivalent)),
    ):
        lines += ["", f"## {title}", ""]
        lines += [
            f"- `{short(name)}`" + (f": {equivalent[name]}" if name in equivalent else "")
            for name in results
            if name in chosen
        ] or ["None."]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mutants", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--like", type=Path, help="other results, whose mutants are judged")
    parser.add_argument("--root", type=Path, default=ROOT, help="the clone to break")
    parser.add_argument("--before", type=Path, help="results of an earlier commit, to be shown")
    parser.add_argument("--junit", type=Path, help="how long tests take, from pytest --junitxml")
    parser.add_argument(
        "--most", type=float, default=float("inf"), help="seconds of tests, for a first look"
    )
    parser.add_argument("--again", action="store_true", help="run survivors again, too")
    parser.add_argument("--whole", action="store_true", help="run whole studies on survivors")
    parser.add_argument("--only", default="", help="mutants whose name holds this text")
    parser.add_argument("--list", action="store_true", help="list the mutants, and run nothing")
    asked = parser.parse_args()
    kept = {"seed": asked.seed, **read(asked.results)}
    like = read(asked.like) if asked.like else kept
    kept["equivalent"] |= like["equivalent"]
    if asked.before:
        earlier = read(asked.before)["mutants"].items()
        kept["before"] = {name: found["verdict"] for name, found in earlier}
    results, seconds = kept["mutants"], measured(asked.junit)
    graph, _ = changed.project(asked.root, "HEAD")
    mutants = still(like["mutants"], graph.texts)
    if not asked.like:
        mutants = filled(mutants, draw(graph.texts, asked.mutants, asked.seed))
        for name in set(results) - {each.name for each in mutants}:
            del results[name]
    mutants = [each for each in mutants if asked.only in each.name]
    if asked.list:
        print("\n".join(f"{each.path}:{each.line} {each.name}" for each in mutants))
        return

    def keep() -> None:
        asked.results.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
        asked.results.with_name("BREAKS.md").write_text(summary(kept))

    for name in LIBRARIES:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as temporary:
        copy = copied.project(asked.root, list(graph.texts), Path(temporary, "project"))

        def verdict(mutant: Mutant) -> dict[str, Any]:
            reached = ordered(tests_of(graph, mutant, whole=asked.whole), seconds)
            if mutant.path.startswith(RULES):  # that unit tests may name, and plans run
                reached.sort(key=lambda test: not test[0].startswith(PLANS))
            tests = within(reached, seconds, asked.most)
            noticed = (like["mutants"].get(mutant.name, {}).get("by") or "").split("[")[0]
            first = [test for test in reached if "::".join(test) == noticed]
            with copied.broken(copy / mutant.path, mutant.applied):
                by = copied.failing(copy, first, seconds) or copied.failing(copy, tests, seconds)
            return {
                "verdict": SURVIVED if by is None else "caught",
                "by": by,
                "tests": [len(tests), len(reached)],
            }

        def due(mutant: Mutant) -> bool:
            found = results.get(mutant.name)
            if found is None:
                return not asked.whole
            survived = found["verdict"] == SURVIVED and mutant.name not in kept["equivalent"]
            return survived and (asked.again or asked.whole)

        break_all(filter(due, mutants), verdict, results, keep)
        for by in false_alarms(copy, results, seconds):
            print(f"fails without a break: {by}")
            for name in [name for name, found in results.items() if found["by"] == by]:
                del results[name]
    keep()


if __name__ == "__main__":
    main()
