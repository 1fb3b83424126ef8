# Two commands do all the set-up: `make serve` and `make test`. Everything is installed into .venv; awf itself is compiled
# here as pip compiles the others, so that its first start is quick too, where Python may not write bytecode as well.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
WORKERS ?= 3
SIDE_BY_SIDE = -n $(WORKERS) --dist worksteal

# Tests start hundreds of interpreters, each of which would compile awf anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup serve test test-system check format bench chaos soak lock clean

setup: $(VENV)/.run

$(VENV)/.run: requirements/run.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src
	touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	touch $@

serve: $(VENV)/.run
	exec $(BIN)/awf serve $(ARGS)

# All tests, WORKERS side by side (most wait more than they compute); what ARGS names, one after the other.
test: $(VENV)/.dev
	$(BIN)/python -m pytest $(or $(ARGS),$(SIDE_BY_SIDE))

# Records journals of the present code for later versions to read; never overwrites one.
.PHONY: golden
golden: $(VENV)/.dev
	cd tests && PYTHONPATH=. ../$(BIN)/python -m golden.record

check: $(VENV)/.dev
	$(BIN)/ruff format --check src tests bench documents examples
	$(BIN)/ruff check src tests bench documents examples
	$(BIN)/mypy
	$(BIN)/mypy examples/plugin/src/awf_sample
	$(BIN)/lint-imports

# Writes what the pages say of the code; a test tells where they are behind.
.PHONY: docs
docs: $(VENV)/.dev
	$(BIN)/python -m documents

format: $(VENV)/.dev
	$(BIN)/ruff format src tests bench documents examples
	$(BIN)/ruff check --fix src tests bench documents examples

bench: $(VENV)/.dev
	$(BIN)/python -m compileall -q src
	$(BIN)/python -m bench $(ARGS)

# Every single place of the crash matrix, then KILLS random deaths under EXECUTIONS executions; SEED repeats a run.
chaos: $(VENV)/.dev
	PYTHONPATH=tests $(BIN)/python -m faults.storm --kills $(or $(KILLS),500) --executions $(or $(EXECUTIONS),200) $(if $(SEED),--seed $(SEED))
	PYTHONPATH=tests $(BIN)/python -m faults.every

# Mixed load for SECONDS, RATE executions a second; fails where memory, files, threads or disk grow without bound.
soak: $(VENV)/.dev
	PYTHONPATH=tests $(BIN)/python -m faults.soak --seconds $(or $(SECONDS),3600) --rate $(or $(RATE),8) --json $(or $(JSON),soak.json)

# What needs root, a browser or every supported shell; see tests/system/setup.sh for what it installs.
test-system: $(VENV)/.dev
	tests/system/setup.sh
	$(BIN)/python -m pytest tests/system $(or $(ARGS),$(SIDE_BY_SIDE))

# The real command-line tools of agents, installed from npm and PyPI into .agent-tools, each against a model server on loopback.
.PHONY: test-agents
test-agents: $(VENV)/.dev
	tests/agents_real/setup.sh .agent-tools
	$(BIN)/python -m pytest tests/agents_real $(ARGS)

# Needs `uv` on the PATH; rewrites the lock files from pyproject.toml.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 --group build pyproject.toml -o requirements/run.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 --group dev pyproject.toml -o requirements/dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
