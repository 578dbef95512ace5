# asdcli: `make` alone lists the targets. Everything runs inside .venv, which the first target that needs it makes.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ASD    := $(BIN)/asd
DATA   := $(or $(DATA),$(ASD_DATA),data)
READY  := $(VENV)/.ready

export ASD_DATA := $(DATA)

.DEFAULT_GOAL := help
.PHONY: help setup browser demo dns-demo dcase2021-dns paper-varmin paper-dns lint format test test-slow test-gpu bench bench-gpu calibration promise mutants fuzz docs docs-reference docs-pictures clean

help:  ## list the targets
	@grep -hE '^[a-z0-9%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{ printf "  make %-22s %s\n", $$1, $$2 }'
	@printf '\n  %s\n' 'For EDITION = $(EDITIONS):'
	@printf '  make %-22s %s\n' EDITION 'download to official score; again goes on where it stopped' \
	  EDITION-STAGE 'one stage: $(STAGES)'
	@printf '  with %-22s %s\n' 'METHODS="nn varmin"' 'and SEED, DEVICE, EPOCHS, CHANNEL, SUBSETS="dev eval", SIZE, RUN, DATA' \
	  'ARGS="--force"' 'anything else for the command of one stage'

setup: $(READY)  ## make .venv and install asdcli with its development tools

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

browser:  ## install Debian's Chromium, where it is missing and that may be done: tests of `asd report` drive it
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } \
	  || echo 'no Chromium here, and it cannot be installed: the tests of the page in a browser are skipped'

demo: $(READY)  ## the main job on synthetic machines: download to official score (minutes)
	$(ASD) download synthetic --size small
	$(ASD) extract-features --dataset synthetic
	$(ASD) train --dataset synthetic
	$(ASD) embed --dataset synthetic
	$(ASD) score --dataset synthetic --method nn --method varmin:k=16,val=test-all
	$(ASD) evaluate --dataset synthetic

# a small backbone and few epochs of it (EPOCHS), because this is for CPUs; the paper's system is each command's default
dns-demo: export ASD_DATA := $(DATA)/dns-demo
dns-demo: export ASD_RUN := runs/dns-demo
dns-demo: $(READY)  ## neighbourhood smoothing on synthetic machines: autoencoder to Table II (minutes)
	$(ASD) download synthetic --size dcase2021
	$(ASD) extract-features
	$(ASD) train --model autoencoder
	$(ASD) score --method mse
	$(ASD) train --model serial-oe:backbone=mobilenetv3_small_050 --epochs $(or $(EPOCHS),10) --batch-size 32
	$(ASD) embed
	$(ASD) smooth --method mse -k 16 --neighbours source
	$(ASD) tune --method mse
	$(ASD) evaluate

dcase2021-dns: export ASD_RUN := $(or $(RUN),runs/dcase2021-dns)
dcase2021-dns: $(READY)  ## the smoothing paper's own experiment: its data, its parameters, Tables I and II, Figure 5
	$(ASD) download dcase2021 --subset dev --subset eval
	$(ASD) extract-features --dataset dcase2021
	$(ASD) train --model autoencoder --profile paper --seed $(SEED) --device $(DEVICE)
	$(ASD) score --method mse --device $(DEVICE)
	$(ASD) train --model serial-oe --seed $(SEED) --device $(DEVICE)
	$(ASD) embed --device $(DEVICE)
	$(ASD) tune --method mse --seed $(SEED)
	$(ASD) smooth --method mse --sections 03,04,05 --fraction 0.05:1.0:0.05 --repeats 20 --seed $(SEED)
	$(ASD) evaluate

# --- editions: `make dcase2023` runs all stages, `make dcase2023-score METHODS="nn varmin"` one ------------------------
# Every stage finds out by itself what is up to date, so a target has nothing to remember and no file to compare.

# an edition is a TOML of the catalogue, or of a folder that ASD_EDITIONS names
HERE     := $(dir $(lastword $(MAKEFILE_LIST)))
TOMLS    := $(wildcard $(HERE)asdcli/catalogue/dcase*.toml $(addsuffix /*.toml,$(subst :, ,$(ASD_EDITIONS))))
EDITIONS := synthetic $(sort $(basename $(notdir $(TOMLS))))
STAGES   := download extract-features train embed score evaluate

METHODS ?= nn varmin
SEED    ?= 0
DEVICE  ?= auto
SUBSETS ?= dev
SIZE    ?= small
RUN     ?=
EPOCHS  ?=
CHANNEL ?=
ARGS    ?=

# what one stage types, $1 being the edition
where                = --dataset $1 $(if $(RUN),--run '$(RUN)')
asd-download         = $(ASD) download $1 $(if $(filter synthetic,$1),--size $(SIZE),$(addprefix --subset ,$(SUBSETS)))
asd-extract-features = $(ASD) extract-features $(where) $(if $(CHANNEL),--channel $(CHANNEL))
asd-train            = $(ASD) train $(where) --seed $(SEED) --device $(DEVICE) $(if $(EPOCHS),--epochs $(EPOCHS))
asd-embed            = $(ASD) embed $(where) --device $(DEVICE)
asd-score            = $(ASD) score $(where) --seed $(SEED) $(foreach m,$(METHODS),--method '$m')
asd-evaluate         = $(ASD) evaluate $(where)

# exit code 3 is "finished, but clips were left out and named": no reason to stop
or-skipped = || test $$? -eq 3

comma := ,

define newline


endef

.PHONY: $(EDITIONS) $(foreach stage,$(STAGES),$(EDITIONS:=-$(stage)))

$(EDITIONS): $(READY)
	$(foreach stage,$(STAGES),$(call asd-$(stage),$@) $(or-skipped)$(newline))

define one-stage
$(EDITIONS:=-$1): %-$1: $$(READY)
	$$(call asd-$1,$$*) $$(ARGS) $$(or-skipped)
endef
$(foreach stage,$(STAGES),$(eval $(call one-stage,$(stage))))

# --- papers: every number and figure of one, from the downloads on; DATASETS="dcase2023 dcase2024" for a part of it, and
# DATASETS=synthetic for a stand-in that says so in every table and below every figure --------------------------------------

STAND_IN  = $(filter synthetic,$(DATASETS))
ENGINE   ?= local
paper-ed  = $(or $(DATASETS),$1)
paper     = runs/$1-$(if $(STAND_IN),stand-in,tables)
asd-sweep = $(ASD) sweep $(notdir $(call paper,$1)) $(addprefix --only ,$(DATASETS)) --engine '$(ENGINE)' --device $(DEVICE)
asd-table = $(ASD) table $1 $(notdir $(call paper,$1)) --published
# of the run of one trial
asd-plot  = $(ASD) plot $1 --run $2

paper-varmin paper-dns: SUBSETS = dev eval

paper-varmin: VARMIN = $(call paper,varmin)
paper-varmin: $(READY)  ## Tables 1 and 2 and Figures 1 to 3 of the variance-minimisation paper; DATASETS=synthetic in minutes
	$(foreach d,$(call paper-ed,dcase2021 dcase2022 dcase2023 dcase2024),$(call asd-download,$d)$(newline))
	$(call asd-sweep,varmin)
	$(call asd-table,varmin) -o $(VARMIN)/tables.md
	$(call asd-table,varmin) -o $(VARMIN)/tables.tex
	$(call asd-plot,distributions,$(VARMIN)/$(lastword $(call paper-ed,dcase2024))/fixed/seed-0) -m nn -m varmin:k=16,val=train-all -o $(VARMIN)/figure-1.pdf
	$(call asd-plot,alpha,$(VARMIN)/$(lastword $(call paper-ed,dcase2024))/fixed/seed-0) -o $(VARMIN)/figure-2.pdf
	$(call asd-plot,map:by=umap$(if $(filter dcase2021,$(call paper-ed,dcase2021)),$(comma)of=pump$(comma)section=03),$(VARMIN)/$(firstword $(call paper-ed,dcase2021))/fixed/seed-0) -o $(VARMIN)/figure-3.pdf

paper-dns: DNS = $(call paper,dns)
paper-dns: DNS_RUN = $(DNS)/$(call paper-ed,dcase2021)/proposed/seed-0
paper-dns: SIZE = dcase2021
paper-dns: $(READY)  ## Tables I and II and Figures 3 to 5 of the smoothing paper; DATASETS=synthetic in minutes
	$(call asd-download,$(call paper-ed,dcase2021))
	$(call asd-sweep,dns)
	$(call asd-table,dns) -o $(DNS)/tables.md
	$(call asd-table,dns) -o $(DNS)/tables.tex
	$(ASD) smooth --run $(DNS_RUN) --method mse -k 16 -k 256 --neighbours all
	$(call asd-plot,map:by=umap$(comma)colour=score$(comma)of=$(if $(STAND_IN),valve,slider)$(comma)section=04,$(DNS_RUN)) -o $(DNS)/figure-3.pdf
	$(call asd-plot,map:by=umap$(comma)colour=score$(comma)of=$(if $(STAND_IN),fan,ToyCar)$(comma)section=05,$(DNS_RUN)) -o $(DNS)/figure-4.pdf
	$(ASD) smooth --run $(DNS_RUN) --method mse --sections 03,04,05 --fraction 0.05:1.0:0.05 --repeats 20
	$(call asd-plot,fractions,$(DNS_RUN)) -o $(DNS)/figure-5.pdf

lint: $(READY)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# a process a core, each with one thread and whole files of tests, which share what they make
test: $(READY)  ## the tests: no network, no GPU, no weights
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile

test-slow: $(READY)  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

test-gpu: $(READY)  ## the tests that need a CUDA device
	$(BIN)/python -m pytest -m gpu

bench: $(READY)  ## measure the promises of the README, as ratios in one run
	$(BIN)/python -m tests.bench

bench-gpu: $(READY)  ## on a CUDA device: is it right, what does a step cost, how long does an edition take (some minutes)
	$(BIN)/python -m tests.bench.gpu $(ARGS)

calibration: $(READY)  ## false alarms promised and measured: synthetic machines and, where it is there, ToyCar (an hour and more); ARGS="--seeds 2"
	$(BIN)/python -m tests.calibration $(ARGS)

promise: $(READY)  ## a fan learned from 300 normal recordings, and the false alarms of 1,000 fresh ones (a minute or two)
	$(BIN)/python -m tests.promise $(ARGS)

fuzz: $(READY)  ## damage and forge 1,200 files of a run, type what reads them, print the counts; ARGS="--artifacts 100"
	$(BIN)/python -m tests.fuzz $(ARGS)

# one thread of BLAS: mutmut forks, and a fork of a process with threads hangs
mutants: $(READY)  ## change the code one operator at a time and see what no test notices; PART=scorers for a part
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 nice $(BIN)/mutmut run --max-children 1 $(if $(PART),'asdcli.$(PART).*')
	@printf '%s\n' 'What lived: $(BIN)/mutmut results; one of them: $(BIN)/mutmut show NAME'

docs: $(READY)  ## the documentation as a site: build/site/index.html
	$(BIN)/python -m mkdocs build --strict --quiet

docs-reference: $(READY)  ## write the reference pages of docs/ from the code
	$(BIN)/python docs/write_reference.py

docs-pictures: $(READY) browser  ## make the pictures of docs/your-recordings.md, and print what its commands print (a minute or two)
	COLUMNS=120 $(BIN)/python -m docs.write_pictures

clean:  ## remove .venv and caches; data and runs stay
	rm -rf $(VENV) build dist mutants *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
