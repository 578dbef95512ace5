# asdcli: `make` alone lists the targets. Everything runs inside .venv, which the first target that needs it makes.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ASD    := $(BIN)/asd
DATA   ?= data
READY  := $(VENV)/.ready

export ASD_DATA = $(DATA)

.DEFAULT_GOAL := help
.PHONY: help setup demo lint format test test-slow test-gpu bench synthetic clean

help:  ## list the targets
	@grep -hE '^[a-z0-9%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{ printf "  make %-22s %s\n", $$1, $$2 }'

setup: $(READY)  ## make .venv and install asdcli with its development tools

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

demo: $(READY)  ## the main job on synthetic machines: download to official score (minutes)
	$(ASD) download synthetic --size small
	$(ASD) extract-features --dataset synthetic
	$(ASD) train --dataset synthetic
	$(ASD) embed --dataset synthetic
	$(ASD) score --dataset synthetic --method nn --method varmin:k=16,val=test-all
	$(ASD) evaluate --dataset synthetic

lint: $(READY)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: $(READY)  ## the tests: no network, no GPU, no weights
	$(BIN)/python -m pytest

test-slow: $(READY)  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

test-gpu: $(READY)  ## the tests that need a CUDA device
	$(BIN)/python -m pytest -m gpu

bench: $(READY)  ## measure the promises of the README, as ratios in one run
	$(BIN)/python -m tests.bench

clean:  ## remove .venv and caches; data and runs stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
