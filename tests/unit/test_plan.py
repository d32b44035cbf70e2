"""The parts of a plan: causes by name, expected times, and the table. Whole plans: end_to_end."""

import dataclasses
from types import SimpleNamespace

import pytest

from facebias import study
from facebias.workflow import causes, plan

HEADER = "s\th:m:s\tmax_rss\n"


def changed(before, now, **wildcards):
    return list(causes.parameters(before, now, wildcards))


# Before and now as Snakemake gives them, and what a reader sees.
PARAMETERS = {
    "a key of one architecture": (
        [study.settings(architecture={"training": {"epochs": 5, "device": "cpu"}})],
        {"settings": study.settings(architecture={"training": {"epochs": 6, "device": "cpu"}})},
        ["architectures.vgg16.training.epochs: 5 -> 6"],
    ),
    "keys that are new and gone": (
        [study.settings(test={"where": {"age": {"min": 3}, "gender": "male"}})],
        {"settings": study.settings(test={"where": {"age": {"max": 9}, "gender": "male"}})},
        ["splits.test.all.where.age.min: gone", "splits.test.all.where.age.max: new"],
    ),
    "of the whole configuration": (
        [study.settings(study={"seeds": [1], "figures": {"dpi": 60}})],
        {"settings": study.settings(study={"seeds": [1, 2], "figures": {"dpi": 60}})},
        ["seeds: [1] -> [1, 2]"],
    ),
    "a long value": (
        [study.settings(title="a" * 50)],
        {"settings": study.settings(title="b" * 50)},
        ["title: changed"],
    ),
    "a source file": (
        [{"facebias/a.py": "1", "facebias/b.py": "2"}],
        {"code": {"facebias/a.py": "1", "facebias/b.py": "3"}},
        ["edited: facebias/b.py"],
    ),
    "source files": (
        [{"a.py": "1", "b.py": "2", "c.py": "2", "d.py": "2"}],
        {"code": {"a.py": "2", "b.py": "1", "c.py": "1", "new.py": "1"}},
        ["edited: a.py and 3 more"],
    ),
    "a source file less": (
        [{"a.py": "1", "b.py": "2"}],
        {"code": {"a.py": "1"}},
        ["dropped: b.py"],
    ),
    "a source file and a key": (
        [{"a.py": "1"}, study.settings(evaluation={"resamples": 100})],
        {"settings": study.settings(evaluation={"resamples": 200}), "code": {"a.py": "2"}},
        ["evaluation.resamples: 100 -> 200", "edited: a.py"],
    ),
    "a number": ([0], {"fold": 1}, ["fold: 0 -> 1"]),
    "two numbers, of which Snakemake keeps no names": (
        [0, 1],
        {"fold": 2, "seed": 3},
        ["fold: changed", "seed: changed"],
    ),
    "files of the data set": (
        ["0a1b"],
        {"files": "2c3d"},
        ["names or sizes of the data set's files"],
    ),
    "settings where there were none": ([], {"settings": "{}"}, ["settings: changed"]),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_changed_parameters_are_named(name):
    before, now, expected = PARAMETERS[name]
    assert changed(before, now, architecture="vgg16", test_split="all") == expected


def test_what_architectures_share_is_one_cause():
    shared, own = "training.epochs: 5 -> 6", "architectures.a.width: 1 -> 2"
    found = [
        [f"architectures.a.{shared}", own],
        [f"architectures.b.{shared}"],
        ["after train_model"],
    ]
    counted = plan.count(found)
    assert counted == {f"architectures.*.{shared}": 2, own: 1, "after train_model": 1}
    # One job that writes the whole configuration counts once.
    assert (
        plan.count([[text for texts in found[:2] for text in texts]])[f"architectures.*.{shared}"]
        == 1
    )


def benchmark(folder, name, *seconds):
    path = folder / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(f"{value}\t0:00:01\t9.5\n" for value in seconds))


def test_expected_time_is_that_of_the_architecture_else_of_the_rule(tmp_path):
    benchmark(tmp_path, "train/vgg16/seed-1", 10)
    benchmark(tmp_path, "train/vgg16/seed-2", 99, 20)  # the second attempt
    benchmark(tmp_path, "train/cnn3d/seed-1", 300)
    benchmark(tmp_path, "train/cnn3d/seed-2")  # stopped before it was measured
    benchmark(tmp_path, "other/vgg16/seed-1", 7)
    rule = SimpleNamespace(benchmark=f"{tmp_path}/train/{{architecture}}/seed-{{seed}}.tsv")
    measured = plan.earlier(rule)
    assert plan.expected(measured, "vgg16") == 15
    assert plan.expected(measured, "cnn3d") == 300
    assert plan.expected(measured, "resnet50") == 20
    assert plan.expected(measured, None) == 20
    assert plan.expected(plan.earlier(SimpleNamespace(benchmark=None)), "vgg16") is None
    never = SimpleNamespace(benchmark=f"{tmp_path}/never/{{architecture}}.tsv")
    assert plan.expected(plan.earlier(never), "vgg16") is None


def stage(rule="train_model", jobs=2, seconds=30.0, gpu_seconds=0.0, asked=0.0, **found):
    return plan.Stage(rule, jobs, seconds, gpu_seconds, asked, found or {"not made yet": jobs})


def rows(*stages, width=80):
    text = plan.describe(stages, 60, width)
    return {line.split()[0]: line.split() for line in text.splitlines() if line}


def test_what_is_not_measured_is_unknown_and_never_zero():
    known = stage("split", seconds=7000.0)
    gpu = stage(seconds=None, gpu_seconds=None)
    table = rows(known, gpu)
    assert table["split"][:5] == ["split", "2", "1.9", "h", "-"]
    assert table["train_model"][:4] == ["train_model", "2", "unknown", "unknown"]
    assert table["together"] == ["together", "4", ">", "1.9", "h", "unknown"]
    assert rows(gpu)["together"] == ["together", "2", "unknown", "unknown"]
    assert rows(stage(seconds=0.2))["together"] == ["together", "2", "<", "1", "s", "-"]


def test_estimates_are_marked_and_explained():
    known, guessed = stage("split", seconds=7000.0), stage(seconds=3500.0, gpu_seconds=3500.0)
    guessed = dataclasses.replace(guessed, rough=True)
    table = rows(known, guessed)
    assert table["split"][:5] == ["split", "2", "1.9", "h", "-"]
    assert table["train_model"][:6] == ["train_model", "2", "~", "58", "min", "~"]
    assert table["together"] == ["together", "4", "~", "2.9", "h", "~", "1.0"]
    said = " ".join(plan.describe([known, guessed], 60, 80).split())
    assert "~: never measured here, so only roughly (3 times more or less), from clips" in said
    assert "~" not in plan.describe([known], 60, 80)
    assert "unknown" not in said


def test_stage_that_was_never_measured_is_estimated_job_by_job(monkeypatch):
    monkeypatch.setattr(plan, "causes", lambda job, workflow: ["not made yet"])
    asked = []

    class Study:
        def seconds(self, rule, wildcards, *, gpus, located):
            asked.append((rule, wildcards["fold"], gpus, located))
            return 10.0 * int(wildcards["fold"])

    rule = SimpleNamespace(name="train_model", benchmark=None)
    jobs = [
        SimpleNamespace(
            rule=rule, wildcards={"architecture": "vgg16", "fold": fold}, input={},
            resources={"gpu": 2, "runtime": 30},
        )
        for fold in "123"
    ]  # fmt: skip
    found = plan._stage(rule, jobs, None, Study)
    assert (found.seconds, found.gpu_seconds, found.rough) == (60.0, 120.0, True)
    assert asked == [("train_model", fold, 2, False) for fold in "123"]
    unlisted = plan._stage(rule, jobs, None, lambda: None)
    assert (unlisted.seconds, unlisted.gpu_seconds) == (None, None)


def test_what_was_measured_is_not_estimated(monkeypatch):
    monkeypatch.setattr(plan, "causes", lambda job, workflow: ["not made yet"])
    monkeypatch.setattr(plan, "earlier", lambda rule: {"vgg16": [9.0], None: [9.0]})
    job = SimpleNamespace(wildcards={"architecture": "cnn3d"}, resources={})
    rule = SimpleNamespace(name="train_model")
    found = plan._stage(rule, [job] * 3, None, lambda: pytest.fail("estimated"))
    assert (found.seconds, found.rough) == (27.0, False)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0, "< 1 s"),
        (7.4, "7 s"),
        (99, "99 s"),
        (100, "2 min"),
        (5999, "100 min"),
        (6000, "1.7 h"),
    ],
)
def test_durations(seconds, written):
    assert f"  {written}  " in plan.describe([stage(seconds=seconds)], 60, 80)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.0, "-"), (1.0, "< 0.1"), (179, "< 0.1"), (180, "0.1"), (36000, "10.0")],
)
def test_gpu_hours(seconds, written):
    assert f"  {written}  not made" in plan.describe([stage(gpu_seconds=seconds)], 60, 80)


def test_gpu_hours_asked_for_are_those_of_all_jobs():
    hour = 3600.0
    planned = [
        stage(jobs=18, asked=18 * 24 * hour),
        stage("predict", 4, asked=hour),
        stage("split"),
    ]
    text = plan.describe(planned, 60, 100)
    assert "GPU hours asked for, at most: 433 (train_model 18 x 24 h, predict 4 x 0.25 h); " in text
    assert "asked for, at most" not in plan.describe(planned[2:], 60, 100)


@pytest.mark.parametrize("width", [72, 80])
def test_table_keeps_to_the_width_and_breaks_keys_behind_dots(width):
    key = "architectures.resnet50.training.augmentation.brightness: 0.2 -> 0.25"
    text = plan.describe([stage(causes=2, **{key: 2}), stage("predict")], 60, width)
    lines = text.splitlines()
    assert lines[0] == "4 of 60 jobs would run."
    assert max(map(len, lines)) <= width
    assert "0.\n" not in text
    (train,) = [position for position, line in enumerate(lines) if line.startswith("train_model")]
    wrapped = lines[train + 1 : train + 4]
    assert wrapped[0].endswith(".")
    assert key in "".join(line.strip() for line in wrapped).replace(":0", ": 0")


def test_few_causes_are_written_with_their_jobs():
    found = {f"cause{number}": number for number in range(1, 6)}
    text = plan.describe([plan.Stage("predict", 5, 1.0, 0.0, 0.0, found)], 60, 100)
    said = [line.split("-  ")[-1].strip() for line in text.splitlines()[3:7]]
    assert said == ["cause5", "cause4 (4 of 5 jobs)", "cause3 (3 of 5 jobs)", "and 2 more"]


def test_nothing_to_run():
    assert plan.describe([], 60, 80).startswith("Nothing to run: all 60 jobs are done")


def test_columns_stand_below_one_another():
    text = plan.describe([stage(jobs=1200), stage("predict", 3, 7000.0)], 60, 80)
    head, *lines = text.splitlines()[2:6]
    for title in ("jobs", "time", "GPU h"):
        end = head.index(title) + len(title)
        assert {line[end - 1 : end + 1].rstrip()[1:] for line in lines} == {""}, text
        assert all(line[end - 1] != " " for line in lines), text


@pytest.mark.parametrize(
    ("gpus", "asked", "used"), [(0, 0.0, 0.0), (2, 3 * 2 * 1800.0, 3 * 2 * 9.0)]
)
def test_a_stage_asks_for_gpus_by_job_and_minute(monkeypatch, gpus, asked, used):
    monkeypatch.setattr(plan, "causes", lambda job, workflow: ["not made yet"])
    monkeypatch.setattr(plan, "earlier", lambda rule: {"vgg16": [9.0]})
    monkeypatch.setattr(plan, "expected", lambda measured, architecture: 9.0)
    resources = {"gpu": gpus, "runtime": 30}
    job = SimpleNamespace(wildcards={"architecture": "vgg16"}, resources=resources)
    found = plan._stage(SimpleNamespace(name="train_model"), [job] * 3, None, lambda: None)
    assert (found.asked, found.gpu_seconds, found.seconds) == (asked, used, 27.0)
    assert found.causes == {"not made yet": 3}


class Job:
    """A job as Snakemake knows it: what it reads, and which of that another job makes."""

    def __init__(self, **facts):
        self.rule = SimpleNamespace(name=facts.pop("rule"), snakefile="all.smk")
        self.__dict__ |= {"input": [], "output": ["out"], "params": {}, "wildcards": {}, **facts}


def why(job, *, before=(), old=(), makers=None, **reason):
    usual = {"forced": False, "missing_output": [], "updated_input": []}
    changed = SimpleNamespace(only_old=set(old), only_new=set(map(repr, job.params.values())))
    records = SimpleNamespace(
        metadata=lambda output: SimpleNamespace(input=list(before)),
        params_changed=lambda job: changed if old else None,
        code_changed=lambda job: reason.get("code", []),
        software_stack_changed=lambda job: [],
    )
    dag = SimpleNamespace(
        reason=lambda job: SimpleNamespace(**{**usual, **reason}),
        dependencies={job: makers or {}},
        needrun=lambda job: True,
    )
    made = [other.rule for other in makers or ()]
    return causes.causes(job, SimpleNamespace(dag=dag, persistence=records, rules=made))


def test_causes_of_a_job_are_what_snakemake_found():
    split, train = Job(rule="split"), Job(rule="train", input=["a", "b"], params={"seed": 2})
    assert why(train, before=["a", "b"], old={"1"}) == ["seed: 1 -> 2"]
    assert why(train, before=["a"], makers={split: {"b"}}) == ["new input from split"]
    assert why(train, before=["a"]) == ["new input: b"]
    assert why(train, before=["a", "b", "c"]) == ["1 input less"]
    assert why(train, before=["a", "b"], updated_input=["a"]) == ["edited: a"]
    assert why(train, before=["a", "b"], missing_output=["out"]) == ["missing: out"]
    assert why(train, before=["a", "b"], code=["out"]) == ["edited: the command in all.smk"]
    assert why(train, before=["a", "b"], makers={split: {"b"}}) == ["after split"]
