# Every target works on a fresh machine: what it needs is set up first, from a lock with hashes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONF ?= conf/demo.yaml

.PHONY: help setup run test lint bench dist lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.ready ## make the virtual environment

$(VENV)/.ready: requirements-dev.txt pyproject.toml
	@sh .ci/check-machine.sh "$(PYTHON)"
	@echo "Setting up $(VENV): about two minutes the first time"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## fetch the demo corpus and take it through the whole pipeline
	@$(BIN)/python -m codemill fetch-demo --conf-file $(CONF)
	@$(BIN)/python -m codemill run --conf-file $(CONF)

test: setup ## run the test suite
	@$(BIN)/python -m pytest

lint: setup ## linters, types and the rules about who may import what
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup ## measure near-duplicates beside peers, licences, ranking, syntax, each annotator, samples, and the whole pipeline
	@$(BIN)/python benchmarks/near_duplicates.py
	@$(BIN)/python benchmarks/crowds.py
	@$(BIN)/python benchmarks/licenses.py
	@$(BIN)/python benchmarks/ranking.py
	@$(BIN)/python benchmarks/syntax.py
	@$(BIN)/python benchmarks/annotators.py --conf-file $(CONF)
	@$(BIN)/python benchmarks/samples.py --conf-file $(CONF)
	@$(BIN)/python benchmarks/pipeline.py --conf-file $(CONF)

dist: setup ## the wheel, and the environment archive for spark-submit
	@rm -rf dist
	@$(BIN)/hatchling build -t wheel -d dist
	@$(PYTHON) -m venv dist/env
	@dist/env/bin/python -m pip install --quiet --require-hashes -r requirements.txt
	@dist/env/bin/python -m pip install --quiet --no-deps dist/*.whl
	@$(BIN)/venv-pack --quiet --prefix dist/env --output dist/codemill-env.tar.gz --exclude '*/pyspark/jars/*'
	@rm -rf dist/env

lock: ## write the lock files anew from pyproject.toml
	@$(PYTHON) -m venv .cache/lock && .cache/lock/bin/python -m pip install --quiet uv
	@for extra in "" "--extra dev"; do .cache/lock/bin/uv pip compile --quiet --universal --generate-hashes \
	  --fork-strategy requires-python --python-version 3.10 --custom-compile-command "make lock" $$extra \
	  --output-file requirements$${extra:+-dev}.txt pyproject.toml; done

clean: ## remove what the targets made, but for the downloads
	@rm -rf $(VENV) dist warehouse
