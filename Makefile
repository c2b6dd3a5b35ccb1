# Everything starts here: `make help` lists the targets. The virtual environment makes itself.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help venv
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 18

venv: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("error: Python 3.11 or newer is needed, this is %d.%d; set PYTHON=/path/to/python3.11" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@echo "setting up $(VENV) (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

SHARD_OPTIONS = $(if $(SHARD),--shard $(SHARD)) $(if $(COSTS),--costs $(COSTS))
GATE_OPTIONS = $(if $(ROWS),--rows $(ROWS)) $(if $(SEED),--seed $(SEED)) $(if $(SERVER),--server $(SERVER)) \
	$(if $(PG),--pg-version $(PG)) $(if $(IMAGE),--pg-image $(IMAGE)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(FULL),--full) $(SHARD_OPTIONS)
PYTEST_OPTIONS = $(if $(ROWS),--pg-rows $(ROWS)) $(if $(SEED),--pg-seed $(SEED)) $(if $(SERVER),--pg-server $(SERVER)) \
	$(if $(PG),--pg-version $(PG)) $(if $(IMAGE),--pg-image $(IMAGE))

CRASH_OPTIONS = $(if $(ROWS),--rows $(ROWS)) $(if $(SEED),--seed $(SEED)) $(if $(SERVER),--server $(SERVER)) \
	$(if $(PG),--pg-version $(PG)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(DOMAIN),--domain $(DOMAIN)) \
	$(if $(FAULT),--fault $(FAULT)) $(if $(POINTS),--points $(POINTS)) $(SHARD_OPTIONS)

.PHONY: mutate
mutate: $(STAMP) ## statement mutants of the plan against its checks (SAMPLE= SEED= EQUIVALENTS=1 SHARD=1/4 OUT=)
	@$(BIN)/harness mutate $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(if $(SERVER),--server $(SERVER)) \
		$(if $(PG),--pg-version $(PG)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(EQUIVALENTS),--equivalents) \
		$(SHARD_OPTIONS) $(if $(OUT),--out $(OUT))

.PHONY: mutate-harness mutate-harness-map
mutate-harness: $(STAMP) ## mutants of the harness's own Python against its tests (SCOPE= ONLY= SECONDS= SHARD= WORKERS=)
	@$(BIN)/python -m tests.mutate_harness judge $(if $(SCOPE),--scope $(SCOPE)) $(if $(ONLY),--only '$(ONLY)') \
		$(if $(SECONDS),--seconds $(SECONDS)) $(if $(SHARD),--shard $(SHARD)) $(if $(WORKERS),--workers $(WORKERS))

mutate-harness-map: $(STAMP) ## which test reaches which function: every test once, traced, then the map (CHECK=1 only compares)
	@mkdir -p build && rm -f build/trace
	@HARNESS_TRACE=$(CURDIR)/build/trace $(BIN)/python -m pytest -n 2 --dist worksteal -m "not benchmark_suite" \
		-p tests.mutate_harness.tracing $(PYTEST_OPTIONS) $(ARGS)
	@$(BIN)/python -m tests.mutate_harness $(if $(CHECK),check,map) build/trace

.PHONY: crash
crash: $(STAMP) ## strike a run at every point, forward and back, and judge every state (DOMAIN= FAULT= POINTS= ROWS= SEED= SHARD=1/4)
	@$(BIN)/harness crash $(CRASH_OPTIONS)

.PHONY: live
live: $(STAMP) ## forward, killed, resumed and back under traffic, until ACKNOWLEDGED= writes (200000) at ROWS= rows (100000)
	@$(BIN)/harness live --rows $(or $(ROWS),100000) --acknowledged $(or $(ACKNOWLEDGED),200000) --server-kills \
		$(if $(SEED),--seed $(SEED)) $(if $(SERVER),--server $(SERVER)) $(if $(PG),--pg-version $(PG)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SHARD),--shard $(SHARD))

.PHONY: matrix
matrix: $(STAMP) ## a gate on each server, version and number of rows that is here, merged (SERVERS= VERSIONS= ROWS="1000 10000")
	@$(BIN)/python -m tests.matrix $(if $(SERVERS),--servers '$(SERVERS)') $(if $(VERSIONS),--versions '$(VERSIONS)') \
		$(if $(ROWS),--rows '$(ROWS)')

.PHONY: killed
killed: $(STAMP) ## kill each tool at POINTS= points of its time (50), run the next one once: nothing remains
	@HARNESS_POINTS=$(or $(POINTS),50) $(BIN)/python -m pytest -n 2 tests/harness/cli/test_killed_tools.py $(PYTEST_OPTIONS) $(ARGS)

.PHONY: false-alarms
false-alarms: $(STAMP) ## 20 seeds of clean and of real rows: validation finds nothing above info (SERVER= PG=)
	@HARNESS_EXHAUSTIVE=1 $(BIN)/python -m pytest -n 2 --dist load tests/harness/check/test_false_alarms.py $(PYTEST_OPTIONS) $(ARGS)

.PHONY: test-migration test test-exhaustive test-fast lint format bench bench-docs bench-large bench-compare bench-null images lock clean
test-migration: $(STAMP) ## the main job: every release suite on a real server, GO or NO-GO (ROWS= SEED= SERVER= PG= IMAGE= FULL=1 SHARD=1/4)
	@$(BIN)/harness gate $(GATE_OPTIONS)

test: $(STAMP) ## every test but those that want the machine alone (a gate runs them): the suites on 1,000 rows if not ROWS=, and the harness's own (WORKERS=2)
	@mkdir -p build
	@$(BIN)/python -m pytest -n $(or $(WORKERS),2) --dist loadscope --no-loadscope-reorder --server-per-worker \
		-m "not benchmark_suite and not alone" --junitxml build/test.xml \
		$(if $(ROWS),,--pg-rows 1000) $(PYTEST_OPTIONS) $(ARGS)

test-exhaustive: $(STAMP) ## make test without samples: every point, seed and flip that it takes some of (an hour or two)
	@HARNESS_EXHAUSTIVE=1 $(MAKE) --no-print-directory test

test-fast: $(STAMP) ## every test that needs no server; one that starts a server all the same fails
	@HARNESS_DATA=/dev/null/none $(BIN)/python -m pytest -n 2 --dist load -m "not server and not benchmark_suite" tests $(ARGS)

lint: $(STAMP) ## ruff, mypy --strict, and the arrows between the rooms
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --no-cache

format: $(STAMP) ## let ruff rewrite what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP) ## benchmarks, saved as JSON below build/benchmarks (ROWS= chooses one size)
	@$(BIN)/python -m pytest tests/migration/test_speed.py -m benchmark_suite --benchmark-storage build/benchmarks --benchmark-autosave $(PYTEST_OPTIONS) $(ARGS)

bench-docs: $(STAMP) ## docs/benchmarks.md made anew: every benchmark at 10,000 and at 100,000 rows (on a quiet machine)
	@$(BIN)/harness bench run --rows 10000 --rows 100000 --markdown docs/benchmarks.md $(ARGS)

bench-large: $(STAMP) ## the migration's own benchmarks at 10,000 to 10,000,000 rows, with exponents (hours)
	@$(BIN)/harness bench run --rows 10000 --rows 100000 --rows 1000000 --rows 10000000 \
		--only seed --only migrate --only rollback --only fingerprint $(ARGS)

bench-compare: $(STAMP) ## two refs in pairs of runs that take turns; fails on a confirmed slowdown alone (BASE= HEAD= ROWS= ONLY=)
	@$(BIN)/harness bench compare $(or $(BASE),main) $(or $(HEAD),HEAD) --html build/comparison.html --markdown build/comparison.md \
		$(if $(ROWS),--rows $(ROWS)) $(foreach name,$(ONLY),--only $(name)) $(if $(SERVER),--server $(SERVER)) $(if $(PG),--pg-version $(PG))

bench-null: $(STAMP) ## COUNT= comparisons (20) of HEAD with itself beside waves of load: none may say slower
	@$(BIN)/python -m tests.bench_null $(or $(COUNT),20) $(or $(ROWS),1000)

images: ## Postgres images 15 and 17 from Debian's packages (needs root and a Docker engine)
	@images/build 15 17

lock: $(STAMP) ## refresh requirements.lock from pyproject.toml (needs uv)
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --extra dev pyproject.toml --quiet --output-file requirements.lock

clean: ## remove the virtual environment and everything that was built
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .benchmarks

.PHONY: mail-points
mail-points: $(STAMP) ## kill a sender of mails at every verb of SMTP and every statement of its ledger (more than 500 points)
	@HARNESS_EXHAUSTIVE=1 $(BIN)/python -m pytest -q -n 0 tests/harness/scenario/mails/test_points.py $(PYTEST_OPTIONS) $(ARGS)

.PHONY: mail-rate
mail-rate: $(STAMP) ## mails a second with the ledger, beside a bare loop of smtplib on the same server
	@HARNESS_EXHAUSTIVE=1 $(BIN)/python -m pytest -q -n 0 -s tests/harness/scenario/mails/test_rate.py $(PYTEST_OPTIONS) $(ARGS)
