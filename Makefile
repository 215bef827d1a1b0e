# storemon's commands. `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin
STOREMON := $(BIN)/storemon
FILES := $(wildcard data/*)

# Modules are compiled once, whatever the environment says: else each command compiles them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo setup sample ingest report serve test test-all faults check bench bench-scale bench-service pins clean

help: ## List these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "  make %-13s %s\n", $$1, $$2}'

demo: $(BIN)/.ready ## From nothing to a report: set up, write a sample if there are no files, ingest, report
	@$(if $(FILES),,$(STOREMON) sample data)
	@$(MAKE) --no-print-directory reports/report.csv
	@echo && head -n 6 reports/report.csv && echo "… the whole report is in reports/report.csv"

parquet/.ingested: $(FILES) | $(BIN)/.ready
	@$(STOREMON) ingest
	@touch $@

reports/report.csv: parquet/.ingested
	@$(STOREMON) report --out $@

setup: $(BIN)/.ready ## Create .venv with the pinned dependencies and storemon in it

sample: $(BIN)/.ready ## Write the sample CSVs into data/
	@$(STOREMON) sample data

ingest: $(BIN)/.ready ## Load the CSVs of data/ into the lake in parquet/
	@$(STOREMON) ingest && touch parquet/.ingested

report: $(BIN)/.ready ## Write reports/report.csv from the lake
	@$(STOREMON) report --out reports/report.csv

serve: $(BIN)/.ready ## Serve reports over HTTP on 127.0.0.1:8000
	@$(STOREMON) serve

test: $(BIN)/.ready-dev ## Run every test, with a few examples of each kind
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-all: $(BIN)/.ready-dev ## Run every test as deep as there are examples
	DEEP_TESTS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

faults: $(BIN)/.ready-dev ## Kill, fill and set apart what a service needs, and print what held
	DEEP_TESTS=1 $(BIN)/python -m pytest tests/faults

check: $(BIN)/.ready-dev ## Lint, formatting, types, and the contract of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(BIN)/.ready-dev ## Measure speed and print one table
	$(BIN)/python -m pytest benchmarks

STORES ?= 1000000
bench-scale: $(BIN)/.ready-dev ## Measure a million stores (STORES=5000: a quick look; KEEP=folder: keep its lakes)
	$(BIN)/python -m benchmarks.scale --stores $(STORES) $(if $(KEEP),--keep $(KEEP))

bench-service: $(BIN)/.ready-dev ## Measure the service under load: 500 clients, throughput, answers, memory
	$(BIN)/python -m benchmarks.service

pins: $(BIN)/.ready-dev ## Resolve the dependencies anew into requirements*.txt
	$(BIN)/uv lock --upgrade
	$(BIN)/uv export --quiet --format requirements-txt --no-header --no-annotate --no-emit-project --no-default-groups --group build > requirements.txt
	$(BIN)/uv export --quiet --format requirements-txt --no-header --no-annotate --no-emit-project --no-default-groups --group build --all-extras --no-extra ray > requirements-service.txt
	$(BIN)/uv export --quiet --format requirements-txt --no-header --no-annotate --no-emit-project --only-group dev > requirements-dev.txt
	rm uv.lock

clean: ## Remove what was made: .venv, caches, the lake and the reports; data/ stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find parquet reports -mindepth 1 ! -name README.md -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/.ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "storemon needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)."; \
	  echo "Name another one: make $(or $(firstword $(MAKECMDGOALS)),demo) PYTHON=python3.12"; exit 1; }
	@echo "Setting up .venv (once) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(BIN)/.ready-dev: requirements-dev.txt $(BIN)/.ready
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@
