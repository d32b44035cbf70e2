"""How long the demo takes: planning, a run with nothing to do, and the stages of the last run.

`make bench` after `make demo`. Timings are printed, never asserted.
"""

from pathlib import Path

import pandas as pd
import pytest
import studies

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "results" / "demo" / "benchmarks"


def snakemake(*arguments: str, folder: Path = ROOT) -> str:
    done = studies.snakemake(folder, ROOT / "config/demo.yaml", *arguments)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_dry_run_from_nothing(benchmark, results, tmp_path):
    said = benchmark.pedantic(
        snakemake, ("--dry-run",), {"folder": tmp_path}, rounds=5, warmup_rounds=1
    )
    assert "train_model" in said
    results.add("dry run of the demo", f"{benchmark.stats.stats.median:.1f} s", goal="5 s")


@pytest.mark.skipif(not BENCHMARKS.exists(), reason="run `make demo` first")
def test_nothing_to_do(benchmark, results):
    said = benchmark.pedantic(snakemake, rounds=5, warmup_rounds=1)
    assert "Nothing to be done" in said
    results.add("run of the finished demo", f"{benchmark.stats.stats.median:.1f} s", goal="4 s")


@pytest.mark.skipif(not BENCHMARKS.exists(), reason="run `make demo` first")
def test_stage_times_of_the_last_run(capsys):
    rows = []
    for path in BENCHMARKS.rglob("*.tsv"):
        measured = pd.read_csv(path, sep="\t", na_values="NA").iloc[-1]
        stage = path.relative_to(BENCHMARKS).with_suffix("").parts
        name = "/".join(stage[:2]) if stage[0] == "train" else stage[0]
        rows.append(
            {
                "stage": name,
                "seconds": measured["s"],
                "cpu": measured["cpu_time"],
                "memory_mb": measured["max_rss"],
            }
        )
    table = (
        pd.DataFrame(rows)
        .groupby("stage")
        .agg(
            jobs=("seconds", "size"),
            median_s=("seconds", "median"),
            sum_s=("seconds", "sum"),
            sum_cpu_s=("cpu", "sum"),
            most_memory_mb=("memory_mb", "max"),
        )
    )
    with capsys.disabled():
        print("\nStages of the last demo run:")
        print(table.sort_values("sum_cpu_s", ascending=False).round(1).to_string())
    assert len(table) > 10
