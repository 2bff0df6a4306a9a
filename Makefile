# `make` alone says what there is. Every target first brings .venv up to date, which takes no time when it is.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint format lock clean

# Threads that wait for work must not burn the cores that others need.
export OMP_WAIT_POLICY := passive

DEMO ?= .demo
PYTEST_ARGS ?=
# Tests run beside each other, one process on each core; what measures speed runs alone.
WORKERS ?= $(if $(findstring benchmark,$(PYTEST_ARGS)),0,logical)

help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv with all packages (uv is fetched if missing); UV_TORCH_BACKEND=cpu for torch's small build
	@scripts/setup

demo: setup ## index the example photos, search them, write a contact sheet to .demo/
	.venv/bin/dvsa demo --examples examples --output "$(DEMO)"

test: export OMP_NUM_THREADS ?= 1
test: setup ## run the tests on all cores; PYTEST_ARGS="-k name" for some of them, WORKERS=0 for one process
	.venv/bin/pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal $(PYTEST_ARGS)

lint: setup ## ruff: rules and layout
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

check: lint ## all static checks: ruff, mypy, the layers of the packages
	.venv/bin/mypy
	.venv/bin/lint-imports

format: setup ## let ruff put the code into its layout
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

lock: setup ## lock requirements.txt anew from pyproject.toml
	@scripts/lock

clean: ## remove .venv, caches and the demo's output
	rm -rf .venv .venv-tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .demo build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
