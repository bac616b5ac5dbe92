# Each target sets up what it needs; `make` without a target lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The tests start hundreds of processes; each would compile all that it imports once more.
export PYTHONDONTWRITEBYTECODE :=

PYTHON ?= python3
PY := .venv/bin/python
UV := $(PY) -m uv --quiet
STARTER := build/models/starter
STARTER_SOURCES := $(wildcard training/*.py training/data/*.py training/linear/*.py training/starter/*.py training/starter/messages/*.csv) $(addprefix classifier_infra/model/,text.py manifest.py decoding.py)

LAMBDA_SOURCES := $(shell find bot classifier_infra -name '*.py' -o -name '*.yml')
# The last archive to be written. arm64 is deployed; x86_64 runs on most development machines.
ARCHIVES := build/lambda/classify-arm64.zip build/lambda/classify-x86_64.zip

DEPLOYING := configure deploy deploy-site destroy
.PHONY: $(DEPLOYING) help demo test lint format train-starter lock bench bench-training bench-training-long bench-classifier bench-cold-start faults verify-long clean setup

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: setup .venv-ministack/.ready $(STARTER)/manifest.json ## run the complete system on this machine and print its addresses
	@$(PY) -m bot.sandbox --model $(STARTER) $(DEMO)

test: setup .venv-ministack/.ready .venv-fasttext/.ready .venv-checkov/.ready .venv-sagemaker/.ready node_modules/.ready $(STARTER)/manifest.json $(ARCHIVES) ## lint, types and all tests, on every installed Python >= 3.11
	@$(MAKE) --no-print-directory lint
	@$(PY) -m pytest -n auto $(ARGS)
	@# In one process: importing the SDK costs more than the tests that need it.
	@.venv-sagemaker/bin/python -m pytest -q -m sagemaker -o cache_dir=.venv-sagemaker/.pytest_cache tests/training/sagemaker
	@sh tests/on_other_interpreters.sh

lint: setup ## ruff and strict types
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

format: setup ## apply the code style
	@$(PY) -m ruff check --fix-only .
	@$(PY) -m ruff format .

train-starter: setup ## train the starter model again
	@$(PY) -m training starter build/starter-data
	@$(PY) -m training train build/starter-data --out $(STARTER)

$(STARTER)/manifest.json: $(STARTER_SOURCES) requirements-dev.txt
	@$(MAKE) --no-print-directory train-starter

bench: .venv-bench/.ready .venv-fasttext/.ready $(STARTER)/manifest.json ## measure against peers and print the ratios
	@.venv-bench/bin/python -m benchmarks $(ARGS)

bench-training: ARGS = training
bench-training: bench ## accuracy, calibration, size and speed of the trainers

bench-training-long: ARGS = training-long
bench-training-long: bench ## from 560,000 rows to an artefact, compared with fastText; ten minutes and more

bench-classifier: ARGS = classifier endpoint
bench-classifier: bench ## overhead of the classifier's interface, and the endpoint's throughput

bench-cold-start: setup ## time from the first line of Python to the first answer, compared with Bolt
	@$(PY) -m benchmarks cold-start

faults: setup .venv-ministack/.ready $(STARTER)/manifest.json ## inject faults into the running system, for a few minutes
	@$(PY) -m benchmarks.faults --model $(STARTER)

verify-long: setup .venv-ministack/.ready $(STARTER)/manifest.json ## inject every fault everywhere, for long, and test the invariants in 20,000 steps; writes docs/reliability.md
	@INVARIANT_STEPS=20000 $(PY) -m pytest -q tests/bot/pipeline/test_invariants.py
	@$(PY) -m benchmarks.faults --model $(STARTER) --long --out docs/reliability.md

STAGE ?= dev
SERVERLESS := node_modules/.bin/serverless

configure: setup ## ask for the settings of a stage: make configure STAGE=prod
	@$(PY) -m classifier_infra.deployment configure $(STAGE)

deploy: setup node_modules/.ready build/lambda/classify-arm64.zip ## deploy a stage to AWS: make deploy STAGE=prod
	@$(SERVERLESS) deploy --stage $(STAGE)
	@$(PY) -m classifier_infra.deployment billing $(STAGE)
	@$(MAKE) --no-print-directory deploy-site STAGE=$(STAGE)

deploy-site: setup ## upload the demo page of a stage
	@$(PY) -m classifier_infra.deployment site $(STAGE)

destroy: setup node_modules/.ready ## remove a stage from AWS; asks first
	@$(PY) -m classifier_infra.deployment empty-site $(STAGE)
	@$(SERVERLESS) remove --stage $(STAGE)
	@echo "Kept, because they cannot be recreated: the ledger's table and the buckets of data and models."
	@echo "A SageMaker endpoint is not part of the stack: $(PY) -m classifier_infra delete --help"

clean: ## remove everything that these targets made
	rm -rf .venv .venv-* build node_modules .serverless .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup: .venv/.ready

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed, and no $(PYTHON) is on the PATH."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Setting up .venv (once; about a minute of downloads)"
	@$(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt

.venv/.ready: .venv/bin/python requirements-dev.txt
	@$(UV) pip sync --python $(PY) requirements-dev.txt
	@touch $@

.venv-ministack/.ready: requirements-ministack.txt | setup
	@$(UV) venv --allow-existing --python $(PY) .venv-ministack
	@$(UV) pip sync --python .venv-ministack/bin/python requirements-ministack.txt
	@touch $@

# The second fastText loader that the exporter is checked against; there are no wheels for Python 3.13 and newer.
.venv-fasttext/.ready: requirements-fasttext.txt | setup
	@$(UV) venv --allow-existing --python $(PY) .venv-fasttext
	@if $(PY) -c 'import sys; sys.exit(sys.version_info >= (3, 13))'; then $(UV) pip sync --python .venv-fasttext/bin/python requirements-fasttext.txt; fi
	@touch $@

# A separate environment: checkov pins versions of boto3 and packaging that are years old.
.venv-checkov/.ready: requirements-checkov.txt | setup
	@$(UV) venv --allow-existing --python $(PY) .venv-checkov
	@$(UV) pip sync --python .venv-checkov/bin/python requirements-checkov.txt
	@touch $@

# The development environment and the SageMaker SDK: nearly a gigabyte that only the SDK's own tests need.
.venv-sagemaker/.ready: requirements-sagemaker.txt | setup
	@$(UV) venv --allow-existing --python $(PY) .venv-sagemaker
	@$(UV) pip sync --python .venv-sagemaker/bin/python requirements-sagemaker.txt
	@touch $@

.venv-bench/.ready: requirements-bench.txt | setup
	@$(UV) venv --allow-existing --python $(PY) .venv-bench
	@$(UV) pip sync --python .venv-bench/bin/python requirements-bench.txt
	@touch $@

node_modules/.ready: package.json package-lock.json .npmrc
	@if command -v npm >/dev/null; then npm ci --silent --no-fund --no-audit; \
	else echo "npm is not installed: the tests of serverless.yml will be skipped."; mkdir -p node_modules; fi
	@touch $@

build/lambda/classify-%.zip: requirements.txt serverless.yml $(STARTER)/manifest.json $(LAMBDA_SOURCES) | setup
	@$(PY) -m classifier_infra.packaging --platform $* --model $(STARTER) --out build/lambda

COMPILE := $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock"
lock: .venv/bin/python ## resolve and pin every dependency of pyproject.toml again
	@$(COMPILE) pyproject.toml -o requirements.txt
	@$(COMPILE) pyproject.toml --extra train --extra local --extra report --group dev -o requirements-dev.txt
	@$(COMPILE) pyproject.toml --extra train --extra local --extra report --group bench -o requirements-bench.txt
	@$(COMPILE) pyproject.toml --extra train --extra local --extra report --extra sagemaker --group dev -o requirements-sagemaker.txt
	@$(COMPILE) --group ministack -o requirements-ministack.txt
	@$(COMPILE) --group fasttext -o requirements-fasttext.txt
	@$(COMPILE) --group checkov -o requirements-checkov.txt
	@grep -A 100 '^uv==' requirements-dev.txt | awk 'NR>1 && /^[a-z]/{exit} {print}' > requirements-uv.txt
