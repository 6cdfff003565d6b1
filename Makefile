# One command to run, one to test. Needs python3 (3.11 or later), make and, once, a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SOURCES := src tests benchmarks
# Where the environment forbids bytecode, each command that the tests start would compile the product anew: twice the time.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run test reset setup lint format unit slow schemathesis bench bench-quick lock clean sim sim-live sim-bugs drill sqlmap

help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name what; do \
		printf '  make %-12s %s\n' "$$name" "$$what"; done

run: $(READY) ## Start the whole product, servers included; Ctrl-C stops it
	@exec $(BIN)/python -m nexus up

reset: $(READY) ## Forget all data of this folder; the next run starts afresh
	@exec $(BIN)/python -m nexus up --reset

test: lint unit ## Set up, run all checks and tests (but the slow ones)

setup: $(READY) ## Only set up: the virtual environment, from the lock

lint: $(READY) ## Style, types, architecture, security
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/pyrefly check
	PYTHONPATH=src $(BIN)/lint-imports
	$(BIN)/bandit -q -c pyproject.toml -r src

unit: $(READY) ## Only the tests
	$(BIN)/python -m pytest -m "not slow"

slow: $(READY) ## The tests that take long: whole installations killed and restarted, the API under attack
	$(BIN)/python -m pytest -m slow

schemathesis: $(READY) ## Ask the served API everything that its document allows, and much that it does not
	SCHEMATHESIS_EXAMPLES=30 $(BIN)/python -m pytest tests/http/test_schemathesis.py

sqlmap: ## Try SQL injection on the filters of what `make run` serves (needs sqlmap; about two minutes)
	sh scripts/sqlmap.sh

bench: $(READY) ## Measure the hot paths beside their ceilings, on a million bookings
	PYTHONPATH=src $(BIN)/python -m benchmarks --json var/bench/latest.json --picture var/bench/latest.svg

bench-quick: $(READY) ## The same table in less than three minutes, on fifty thousand
	PYTHONPATH=src $(BIN)/python -m benchmarks --scale 0.05 --rounds 3 --seconds 1

sim: $(READY) ## Simulate years of families, every promise judged after each step
	PYTHONPATH=src $(BIN)/python -m tests.sim run --seconds $(SIM_SECONDS)

sim-live: $(READY) ## The same with a sweeper that is in time: nothing waits for ever
	PYTHONPATH=src $(BIN)/python -m tests.sim run --seconds $(SIM_SECONDS) --liveness

sim-bugs: $(READY) ## Plant every known bug; the simulation must find it within 10 s
	PYTHONPATH=src $(BIN)/python -m tests.sim bugs --seconds 10

drill: $(READY) ## Kill, cut off and starve the product, with each guard and without it (a quarter of an hour)
	PYTHONPATH=src $(BIN)/python -m tests.drills $(DRILLS) --controls --json var/drills/latest.json

format: $(READY) ## Let ruff mend what it can
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --extra dev --extra otel --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --quiet --output-file requirements.lock

clean: ## Remove everything that can be made again, except data
	rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp holds the lock that was installed, so that it is the content that
# counts and not a date: a change of branch touches every file. A folder that was
# moved is set up again, because scripts name their interpreter in full.
ifneq ($(shell cmp -s requirements.lock $(READY) && test -x $(BIN)/python \
	&& test "$$(cat $(VENV)/.root)" = "$(CURDIR)" && echo ready),ready)
.PHONY: $(READY)
endif

$(READY):
	@PYTHON='$(PYTHON)' sh scripts/setup.sh '$(VENV)'
