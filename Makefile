# make demo · make plan · make figures · make test · make test-changed · make lint · make bench; each
# sets up what it needs first. Another study than the demo: make plan CONFIG=config/london.yaml
PYTHON ?= $(shell command -v python3.11 || command -v python3)
CONFIG ?= config/demo.yaml
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --profile profiles/local --configfile
# One thread per process: default threading ran up to 18 times slower on a shared machine.
export OMP_NUM_THREADS := 1
# A study is hundreds of processes, each of which would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo plan figures test test-changed lint format bench lock

install: .venv/installed

# The lock is whole: nothing is left to resolve. Modules are compiled afterwards, on all cores. The
# stamp is written last, so an interrupted installation starts again.
.venv/installed: envs/lock.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else "facebias needs Python 3.11, found %d.%d: make PYTHON=/path/to/python3.11" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	@echo "Installing the locked environment (about 7 GB, some minutes)."
	$(BIN)/python -m pip install --quiet --no-deps --no-compile --require-hashes --requirement envs/lock.txt
	$(BIN)/python -m pip check
	$(BIN)/python -m compileall -q -j 0 -x '/tests?/' .venv/lib
	$(BIN)/python -m pip install --quiet --no-deps --no-index --no-build-isolation --editable .
	@cp envs/lock.txt $@

demo: install
	$(SNAKEMAKE) config/demo.yaml
	@echo "The report: results/demo/report.html (start with its first page: results/demo/report/start_page.html)"

# What a run would do, why, and for how long. Nothing is run.
plan: install
	@$(BIN)/python -m facebias plan --profile profiles/local --configfile $(CONFIG)

# Every figure and printed table again, from the tables and heatmaps that are there. Nothing else
# runs, even where it is out of date, and no network is needed.
figures: install
	$(BIN)/python -m facebias figures --profile profiles/local --configfile $(CONFIG)

test: install
	$(BIN)/python -m pytest --numprocesses logical --dist loadgroup --durations=10

# The tests that a change reaches, nearest first, in under two minutes: of what differs from where
# this branch left origin/main, or from another commit: make test-changed SINCE=HEAD
test-changed: install
	$(BIN)/python -m pytest --numprocesses logical --dist loadgroup --changed$(if $(SINCE),=$(SINCE))

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile workflow/rules
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/snakemake --lint

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow/Snakefile workflow/rules

bench: install
	$(BIN)/python -m pytest tests/benchmarks --results tests/benchmarks/RESULTS.md \
		--benchmark-columns=median,min,max,rounds

# Needs uv (https://docs.astral.sh/uv); only for those who change the dependencies.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
		--no-header --no-annotate envs/requirements.in -o envs/lock.txt
	$(BIN)/python tests/environments.py --write
