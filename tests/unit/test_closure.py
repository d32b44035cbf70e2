"""What an edit of the code reaches: exact at the definition, and never less than what runs."""

from __future__ import annotations

import functools
import re

import pytest

from facebias.models.architectures import ARCHITECTURES
from facebias.presentation.figures.stage import FIGURES
from facebias.stages import STAGES, closure
from facebias.stages.closure import Package

FOLDER = closure.PACKAGE.folder
ALL = frozenset(STAGES)
# What rules run.
ASKED = frozenset(name for name, stage in STAGES.items() if stage.jobs)
# What computes with a network.
NETWORKS = {"train", "predict", "decide", "explain", "randomise"}
FILMS = {"locate", "extract"}
# What reads the whole configuration, compares groups, and knows labels or crossed attributes.
WHOLE = {"record", "resolve"}
GROUPS = {"confounds", "effects", "fairness", "metrics_by_group", "redraws", "variance"}
LABELLED = (
    WHOLE | NETWORKS | GROUPS
    | {"evaluate", "figure", "manifest", "metrics", "model_card", "power"}
    | {"relevance_gaps", "start_page"}
)  # fmt: skip
CROSSING = (
    WHOLE | GROUPS
    | {"calibrate", "evaluate", "judge", "model_card", "power", "relevance_gaps"}
    | {"split", "start_page"}
)  # fmt: skip
HEATMAPS = {"explain", "randomise"}
TESTED = {"calibrate", "confounds", "effects", "evaluate", "fairness", "power", "relevance_gaps"}
JUDGED = {"calibrate", "evaluate", "judge", "relevance_gaps"}
# File, what stands there, what is written instead, and the stages that it reaches. Without what is
# written, a definition is edited anyhow.
EDITS = {
    # ------------------------------------------------------------------- nothing that was there
    "a comment": ("models/training/loop.py", "def fit(", "# Why not?\ndef fit(", set()),
    "a docstring": ("models/training/loop.py", '"""', '"""Other words. ', set()),
    "line breaks": ("tables/data.py", "\n\n", "\n\n\n", set()),
    "a description of a key": ("study/models.py", "Clips per step.", "Clips in a step.", set()),
    "a further architecture": (
        "models/architectures/__init__.py",
        '    "vgg16": ',
        '    "alexnet": "facebias.models.architectures.alexnet",\n    "vgg16": ',
        set(),
    ),
    "a further data set": (
        "data/datasets/__init__.py",
        '    "drawn": ',
        '    "affwild": "facebias.data.datasets.affwild",\n    "drawn": ',
        set(),
    ),
    "a further figure": (
        "presentation/figures/catalogue.py",
        '    "rates": ',
        '    "new": Figure(draw="facebias.presentation.new:draw", reads={}),\n    "rates": ',
        set(),
    ),
    "a further stage": (
        "stages/__init__.py",
        '    "resolve": ',
        '    "probe": Stage("facebias.probes:main", "probe"),\n    "resolve": ',
        set(),
    ),
    "the purpose of a stage": ("stages/__init__.py", '"train one model"', '"fit it"', set()),
    "what its jobs need": ("stages/__init__.py", "minutes=1440", "minutes=2880", set()),
    "what another stage is asked": (
        "stages/models.py",
        "class Convert(",
        "class Probe(Job):\n    out: Path = output_file()\n\n\nclass Convert(",
        set(),
    ),
    "what a stage is asked": (
        "stages/models.py",
        "class Train(OfModel):\n",
        "class Train(OfModel):\n    new: Path = input_file()\n",
        {"train"},
    ),
    "a further table": ("tables/data.py", "CLIPS = ", "PROBES = Table((), ())\nCLIPS = ", set()),
    "a further function": (
        "tables/files.py",
        "def check(",
        "def new():\n    pass\n\n\ndef check(",
        set(),
    ),
    "an import that nobody uses": ("tables/files.py", "\nimport ", "\nimport this\nimport ", set()),
    # ------------------------- settings: their values are parameters of the jobs, and no code
    "the default of a key": ("study/models.py", "key(256", "key(128", set()),
    "the bound of a key": ("study/data.py", "ge=96", "ge=90", set()),
    "a further key": (
        "study/models.py",
        "    per_group: Number",
        "    new: int = key(1, description='')\n    per_group: Number",
        set(),
    ),
    "what is derived of labels": ("study/data.py", "    def evaluated(", "", LABELLED),
    "what is derived of the frames": ("study/clips.py", "    def frames(", "", FILMS | WHOLE),
    "what is derived of preprocessing": (
        "study/clips.py",
        "    def locating(",
        "",
        WHOLE | {"extract"},
    ),
    "how crossed attributes are written": ("study/design.py", "CROSS = ", "", CROSSING),
    "who is held out": (
        "study/design.py",
        "    def all_holdouts(",
        "",
        WHOLE | {"model_card", "split"},
    ),
    "how settings are read": ("stages/job.py", "def _json(", "", ASKED),
    # ----------------------------------------------------------------------------- clips, data
    "a constant of tracking": ("clips/tracks.py", "LEAST_OVERLAP = ", "", FILMS),
    "the check of faces": ("clips/faces.py", "def _check_presence(", "", {"extract"}),
    "the quality of faces": ("clips/quality.py", "SMALLEST = ", "", {"quality"}),
    "the share that may be lost": ("clips/index.py", "MOST_GROUPS = ", "", {"index"}),
    "how films are turned": ("clips/decode.py", "class Upright", "", FILMS),
    "where faces are looked for": ("clips/location.py", "def table(", "", {"locate"}),
    "freckles": ("data/datasets/drawn/skin.py", "def _freckles(", "", {"draw"}),
    "beards": ("data/datasets/drawn/looks.py", "BEARDS = ", "", {"draw"}),
    # -------------------------------------------------------------------------------- networks
    "a step of training": ("models/training/loop.py", "def _step(", "", {"train"}),
    "a schedule": ("models/training/schedules.py", "START = ", "", {"train"}),
    "a loss": ("models/training/losses.py", "def over_units(", "", {"train"}),
    "how often training saves": ("models/training/saving.py", "SHARE = ", "", {"train"}),
    "a head": ("models/architectures/heads.py", "class Recurrent(", "", NETWORKS | {"plan"}),
    "names of published weights": (
        "models/architectures/formats.py",
        "VGGFACE = ",
        "",
        {"convert"},
    ),
    "the checks of a device": (
        "models/device.py",
        "def _fault_of_gpu(",
        "",
        NETWORKS | {"features"},
    ),
    "a seed of torch": ("models/determinism.py", "def torch_seed(", "", {"train", "randomise"}),
    # ------------------------------------------------------------------------------- heatmaps
    "a composite": ("explanation/composites.py", "RECURRENT = ", "", HEATMAPS),
    "squares of occlusion": ("explanation/methods.py", "SQUARES = ", "", HEATMAPS),
    "regions of the face": ("explanation/regions.py", "BROWS = ", "", {"relevance"}),
    # -------------------------------------------------------------------------------- numbers
    "assignments of a test": ("evaluation/permutation.py", "ENTRIES = ", "", TESTED),
    "how a verdict is found": ("tables/verdicts.py", "def no_larger(", "", JUDGED),
    "what is confounded": (
        "evaluation/confounds.py",
        "def _shares(",
        "",
        {"confounds"},
    ),
    "a column of the histories": ("tables/models.py", "HISTORY = ", "", {"train", "gather"}),
    "a column of the redraws": ("tables/metrics.py", "REDRAWS = ", "", {"redraws", "gather"}),
    "a column of the qualities": ("tables/data.py", "QUALITY = ", "", {"quality", "confounds"}),
    "what guessing would give": (
        "evaluation/baselines.py",
        "GUESSES = ",
        "",
        {"calibrate", "evaluate", "judge", "start_page"},
    ),
    "studentised gaps": (
        "evaluation/gaps.py",
        "def _studentised(",
        "",
        {"calibrate", "evaluate", "fairness", "power"},
    ),
    "parts of the variance": ("evaluation/components.py", "def components(", "", {"variance"}),
    "names of a given table": (
        "evaluation/prediction_table.py",
        "def _check_names(",
        "",
        {"evaluate", "power"},
    ),
    "groups of heatmaps": ("evaluation/relevance.py", "def _group(", "", {"relevance_gaps"}),
    "an audit of a paper": ("published/audit.py", "def _row(", "", {"published"}),
    "what is recovered of a paper": (
        "published/recovery.py",
        "def nearest(",
        "",
        {"published", "published_comparison"},
    ),
    # ------------------------------------------------------------------------- what is read
    "a colour of all figures": (
        "presentation/figures/style.py",
        "INK, SOFT, FAINT = ",
        "",
        {"figure"},
    ),
    "what is found, in LaTeX": (
        "presentation/report/latex.py",
        "MISSING = ",
        "",
        {"numbered_tables", "print_table"},
    ),
    "the start page": (
        "presentation/report/coincidences.py",
        "def between_splits(",
        "",
        {"start_page"},
    ),
    "the record": ("presentation/record/crate.py", "def write(", "", {"record"}),
    # ---------------------------------------------------------------------- whatever there is
    "the error of a study": ("study/errors.py", "class StudyError(", "", ALL),
    "the command line": (
        "__main__.py",
        "    stage = STAGES[name]",
        "    print()\n    stage = STAGES[name]",
        ALL,
    ),
    "what a module does when it is imported": (
        "tables/files.py",
        "\n\n\n",
        "\n\nprint()\n\n\n",
        ALL,
    ),
}


def entries(stage: str) -> tuple[str, ...]:
    return ("facebias.__main__:main", STAGES[stage].run)


# Every stage, and the modules that some are asked for by name.
ENTRIES = {
    **{stage: entries(stage) for stage in STAGES},
    **{f"train {name}": (*entries("train"), module) for name, module in ARCHITECTURES.items()},
    **{f"figure {name}": (*entries("figure"), figure.module) for name, figure in FIGURES.items()},
}


@functools.cache
def before() -> dict[str, dict[str, str]]:
    return {name: closure.PACKAGE.digests(*asked) for name, asked in ENTRIES.items()}


def changed(edited: dict[str, str]) -> set[str]:
    """Name what has other digests where some files hold another text."""
    package = Package(FOLDER, edited)
    return {name for name, asked in ENTRIES.items() if package.digests(*asked) != before()[name]}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_reaches_what_uses_it_and_nothing_else(name):
    file, old, new, stages = EDITS[name]
    text = (FOLDER / file).read_text(encoding="utf-8")
    assert old in text
    indent = " " * (len(old) - len(old.lstrip()))
    anyhow = f"{old}0 and " if old.endswith("= ") else f"{indent}@print\n{old}"
    found = changed({file: text.replace(old, new or anyhow, 1)})
    assert found & ALL == stages
    # With a network or a figure of its own too.
    for one in ("train", "figure"):
        reached = {entry for entry in found if entry.startswith(f"{one} ")}
        every = {entry for entry in ENTRIES if entry.startswith(f"{one} ")}
        assert reached == (every if one in stages else set()) or not stages & {one}


def test_files_are_those_that_a_stage_uses():
    def files(stage):
        return {path.removeprefix("facebias/") for path in before()[stage]}

    packages = {path.split("/")[0] for path in files("split")}
    assert packages == {
        "__init__.py",
        "__main__.py",
        "core",
        "data",
        "stages",
        "study",
        "tables",
    }
    assert {"data/splits/stage.py", "data/splits/drawing.py", "tables/files.py"} <= files("split")
    assert "data/splits/holdouts.py" not in files("split")
    assert "models/training/loop.py" in files("train")
    assert not {path for path in files("metrics") if path.startswith(("models", "presentation"))}
    assert not {path for path in files("train") if path.startswith(("presentation", "evaluation"))}


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("presentation/figures/gaps_signed.py", {"figure gaps_signed"}),
        ("models/architectures/cnn3d.py", {"train cnn3d"}),
        ("models/architectures/vgg.py", {"train vgg16", "train vggface"}),
    ],
)
def test_members_of_a_registry_are_apart(file, found):
    text = (FOLDER / file).read_text(encoding="utf-8")
    assert changed({file: f"{text}\nNEW = 1\n"}) == found


def test_comments_and_docstrings_of_all_files_reach_nothing():
    files = {
        str(path.relative_to(FOLDER)): path.read_text(encoding="utf-8")
        for path in FOLDER.rglob("*.py")
    }
    assert len(files) > 150
    other = {name: f"# More.\n{text}\n# And more.\n" for name, text in files.items()}
    opening = re.compile(r'^( +""")(?=\w)', re.M)
    other = {name: opening.sub(r"\1Also ", text) for name, text in other.items()}
    assert changed(other) == set()


def test_every_definition_that_some_stage_reaches_counts():
    """Decorating any function changes the digests of exactly the stages that reach it."""
    reached = {name: closure.PACKAGE.reached(*asked) for name, asked in ENTRIES.items()}
    for module in ("facebias.tables.files", "facebias.data.splits.drawing", "facebias.data.cohort"):
        path = closure.PACKAGE.file(module)
        text = path.read_text(encoding="utf-8")
        here = closure.PACKAGE.source(module)
        functions = [name for name in here.definitions if f"\ndef {name}(" in text]
        assert functions
        for function in functions:
            edited = text.replace(f"\ndef {function}(", f"\n@new\ndef {function}(")
            users = {name for name, nodes in reached.items() if (module, function) in nodes}
            assert changed({str(path.relative_to(FOLDER)): edited}) == users, function


@pytest.fixture
def small(tmp_path):
    """Make a package of two modules, of which the second has the given text."""

    def make(**texts: str) -> Package:
        folder = tmp_path / "small"
        folder.mkdir(exist_ok=True)
        for name, text in {"__init__": "", **texts}.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        return Package(folder)

    return make


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("from small.b import f\ndef main(): f()", {"f"}),
        ("from small import b\ndef main(): b.f()", {"f"}),
        ("import small.b\ndef main(): small.b.f()", {"f"}),
        ("import small.b as other\ndef main(): other.f()", {"f"}),
        ("def main():\n    from small.b import f as x\n    x()", {"f"}),
        ("from small.b import *\ndef main(): f()", {"f"}),
        ("from small.b import f\ndef main(x=f): x()", {"f"}),
        ("from small.b import f\n@f\ndef main(): pass", {"f"}),
        ("from small.b import f\ndef main(): return lambda: f()", {"f"}),
        # What is bound within is another thing.
        ("from small.b import f, g\ndef main(): return [f for f in g()]", {"g"}),
        ("from small.b import f, g\ndef main(): (lambda f: f)(1); f()", {"f"}),
        ("from small.b import f, g\ndef main(f): g(f)", {"g"}),
        # Not known which.
        ("from small import b\ndef main(): print(b)", {"f", "g", "C"}),
        ("from small import b\ndef main(): getattr(b, input())()", {"f", "g", "C"}),
        ("from small import b\ndef main(): getattr(b, 'f')()", {"f"}),
        # It runs as soon as it is imported.
        ("from small.b import f\nf()\ndef main(): pass", {"f"}),
        ("from small.b import f\nFS = {'f': f}\ndef main(): FS['f']()", {"f"}),
        ("from small.b import C\ndef main(): C().m()", {"C", "g"}),
        ("from small.b import C\nclass D(C): pass\ndef main(): D()", {"C", "g"}),
        ("from small.b import f\ndef main() -> f: pass", set()),
    ],
)
def test_names_are_followed_as_python_follows_them(small, text, used):
    package = small(a=text, b="def f(): pass\ndef g(): pass\nclass C:\n    def m(self): g()\n")
    reached = {name for module, name in package.reached("small.a:main") if module == "small.b"}
    assert reached - {""} == used


def test_names_brought_by_star_imports_are_those_of_one_module(small):
    package = small(
        a="from small.c import f\ndef main(): f()",
        b="def f(): pass\ndef g(): pass",
        c="from small.b import *\nfrom small.d import *",
        d="from small.b import g\nh = 1",
    )
    reached = {node for node in package.reached("small.a:main") if node[1]}
    assert reached == {("small.a", "main"), ("small.b", "f")}
