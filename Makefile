# Foothold. `make` lists what can be done. Needs GNU make 3.81 or newer, Python 3.11 or newer; `make test` also node.
# Everything lands in .venv and .tools beside this file; `make clean` removes it again.

VENV   := .venv
BIN    := $(VENV)/bin
NODE   := tools/node
BUF    := $(NODE)/node_modules/.bin/buf
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input
# Passed on to the program or to pytest: make run ARGS="--port 9000", make test ARGS="-k board -x"
ARGS   ?=
# How many test processes; each has a PostgreSQL and platforms of its own. JOBS=0 is one, in the open, for a debugger.
JOBS   ?= 2

.DEFAULT_GOAL := help
.PHONY: help run run-split test pytest lint fmt bench docs words proto proto-check proto-landed lock clean tools browser
.PHONY: lint-python lint-types lint-imports lint-protos lint-chart

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/.run ## the whole platform on this machine, with the demo enterprise
	@exec $(BIN)/foothold serve --demo $(ARGS)

run-split: $(VENV)/.run ## the same, one process per service
	@exec $(BIN)/foothold serve --demo --split $(ARGS)

test: lint pytest ## everything that is checked: linters, types, contracts, chart, then the tests, quick ones first

pytest: $(VENV)/.dev tools browser ## only the tests; narrow them with ARGS="tests/goals -k rate"
	@$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

bench: $(VENV)/.dev ## measure the performance claims (benchmarks/README.md)
	@$(BIN)/python -m benchmarks $(ARGS)

lint: lint-python lint-types lint-imports lint-protos lint-chart ## every static check

lint-python: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-types: $(VENV)/.dev
	$(BIN)/mypy

lint-imports: $(VENV)/.dev
	$(BIN)/lint-imports --no-logo

lint-protos: $(VENV)/.dev tools proto-check
	$(BUF) lint
	tools/breaking.sh

lint-chart: $(VENV)/.dev tools
	tools/lint-chart.sh

fmt: $(VENV)/.dev ## format the code and fix what can be fixed by machine
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

docs: $(VENV)/.dev ## write the reference pages of docs/ from the code they describe
	$(BIN)/python tools/docs.py

words: $(VENV)/.dev ## bring the pages' catalogues up to the pages; says what has no Chinese yet
	$(BIN)/python tools/words.py $(ARGS)

proto: $(VENV)/.dev ## generate contracts/ from proto/
	$(BIN)/python tools/proto.py

proto-check: $(VENV)/.dev ## fail where contracts/ is not what proto/ says
	$(BIN)/python tools/proto.py --check

proto-landed: tools ## record the contracts as promised; the last act before landing a change to them
	$(BUF) build --exclude-source-info -o contracts/landed.binpb

lock: $(VENV)/.dev ## lock the newest versions that pyproject.toml allows, with hashes
	tools/lock.sh

clean: ## remove what make made; the data folder stays
	rm -rf $(VENV) .tools $(NODE)/node_modules build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what the targets stand on -----------------------------------------------------------------------

$(BIN)/python:
	@tools/venv.sh $(VENV)

$(VENV)/.run: $(BIN)/python requirements/run.txt pyproject.toml
	@echo "Installing what Foothold needs into $(VENV) (the first time takes a minute) ..."
	@$(PIP) install --quiet --require-hashes -r requirements/run.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# The development set holds the whole running set, so that `make run` after `make test` has nothing to do.
$(VENV)/.dev: $(BIN)/python requirements/dev.txt pyproject.toml
	@echo "Installing what building and testing needs into $(VENV) ..."
	@$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $(VENV)/.run $@

tools: .tools/.node

.tools/.node: $(NODE)/package.json $(NODE)/package-lock.json $(BIN)/python tools/node.sh
	@tools/node.sh
	@touch $@

browser:
	@tools/browser.sh
