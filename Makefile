# Everything a person types. `make help` lists it.
.DEFAULT_GOAL := help
.PHONY: help setup demo dev check quick test guides bench pictures audit

PYTHON ?= python3
BIN := .venv/bin
export PYTHONWARNINGS := ignore::RuntimeWarning:platformdirs
# Compiled once, kept in .venv: without it every command and worker compiles a thousand modules.
export PYTHONDONTWRITEBYTECODE :=

help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: .venv/.installed ## create the environment from the lock file

.venv/.installed: requirements.lock pyproject.toml tools/setup.sh
	@PYTHON=$(PYTHON) sh tools/setup.sh
	@touch $@

demo: setup ## three tenants, two billing months, everything through Dagster
	@$(BIN)/billing demo

dev: setup ## the Dagster UI and daemon on http://127.0.0.1:3000
	@$(BIN)/billing dev

check: setup ## format, lint, types, arrows, house rules: under a minute
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy --num-workers 2
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q billing_pipeline_tests/test_house.py billing_pipeline_tests/vocabulary

quick: setup ## the pure tests, with fewer random examples
	@HYPOTHESIS_PROFILE=quick $(BIN)/pytest -q -n 2 -m "not postgres and not pdf and not scenario and not dagster and not slow"

test: setup ## all tests
	@$(BIN)/pytest -n 3 --dist worksteal

guides: setup ## run every command of README and docs on a demo installation
	@$(BIN)/pytest -q billing_pipeline_tests/docs

audit: ## known vulnerabilities of what is installed; needs the network
	@$(PYTHON) tools/audit.py

bench: setup ## measure every stage against its baselines
	@$(BIN)/billing bench

pictures: setup ## take the README's pictures from the demo
	@sh tools/pictures.sh
