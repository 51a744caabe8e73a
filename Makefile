# Every target works from scratch and starts immediately on later runs. `make help` lists them.
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true
export DVC_NO_ANALYTICS := true
READY := .venv/.ready
PORT ?= 5000

.PHONY: help install repro test test-browser test-long test-root test-server test-slurm lint experiments ui lock schema

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY)  ## .venv with the locked requirements

$(READY): requirements.lock tools/install.sh
	@PYTHON="$(PYTHON)" ./tools/install.sh

repro: $(READY)  ## run the pipeline; EXPERIMENT=smoke runs conf/experiment/smoke.yaml
	@test -e .git || { dvc config --local core.no_scm true; \
	    echo "unroll: no .git here, so DVC runs without experiments; clone the repository to have them"; }
	@unroll compose $(if $(EXPERIMENT),experiment=$(EXPERIMENT))
	dvc repro
	@unroll show

test: $(READY)  ## the test suite, in a few minutes
	python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-browser: $(READY)  ## MLflow's pages and a model's page in Chromium, which is installed if missing (Debian, root)
	python -m pytest -m browser

test-long: $(READY)  ## whole clones, queues and ranks: ten minutes more
	python -m pytest -n 2 --dist loadfile -m long

test-root: $(READY)  ## tests that need root: two machines as network namespaces, a full disk
	python -m pytest -m root

test-server: $(READY)  ## a real MLflow server and PostgreSQL, which is installed if missing (Debian, root)
	python -m pytest -m server

test-slurm: $(READY)  ## a real Slurm, which is installed if missing (Debian, root)
	python -m pytest -m slurm

lint: $(READY)  ## ruff, mypy --strict, the walls between rooms
	ruff check .
	mypy
	lint-imports

experiments: $(READY)  ## DVC's experiments, with the columns that matter
	dvc exp show --only-changed --hide-workspace --drop 'best/|gradient/|samples/|val/best_bpc|test/(bpb|loss|below|perplexity|unknown)|artifacts/|plots/|data/|metrics/|src/|requirements|Executor|State|Created'

ui: $(READY)  ## MLflow on http://127.0.0.1:5000 (PORT=5001)
	@echo "http://127.0.0.1:$(PORT)/#/experiments/1?workflowType=machine_learning"
	MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false mlflow ui --host 127.0.0.1 --port $(PORT) --workers 1 \
	    --backend-store-uri sqlite:///mlflow.db

schema: $(READY)  ## the JSON schemas with which editors check conf/
	unroll schema

lock:  ## requirements.lock from pyproject.toml (needs uv)
	./tools/lock.sh
