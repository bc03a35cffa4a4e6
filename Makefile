# Every target does its own set-up: a virtual environment beside the sources, installed from the hashed lock.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUNS   := $(VENV)/.runs
READY  := $(VENV)/.ready
AZURITE := $(VENV)/azurite/.ready

.PHONY: demo tutorial test lint types unit faults planted campaign lab airflow lock setup clean

demo: $(RUNS)
	$(BIN)/awsfed demo

tutorial: $(RUNS)
	$(BIN)/awsfed tutorial

test: lint types unit

unit: $(READY) $(AZURITE)
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

# The proofs at full size (docs/proof.md); `make test` runs a seeded sample of each.
faults: $(READY)
	AWSFED_CRASH_CASES=20500 AWSFED_BODIES=100000 AWSFED_HISTORIES=2000 AWSFED_FAULT_CASES=5400 AWSFED_AWS_FAULT_CASES=200 AWSFED_WORLD_CASES=200 AWSFED_SIGN_IN_CASES=1000 AWSFED_KILLS=102 AWSFED_EVIDENCE_CASES=2400 AWSFED_CREATE_CASES=all \
	  AWSFED_APPROVAL_CASES=all AWSFED_OWNER_WORLDS=20 \
	  $(BIN)/python -m pytest tests/faults -n 2 --dist load -rP

planted: $(READY)
	$(BIN)/python tools/planted_bugs.py

campaign: $(READY)
	AWSFED_CAMPAIGN_ACCOUNTS=250 $(BIN)/python -m pytest tests/test_campaign_sandbox.py -rP

lab: $(READY)
	AWSFED_NO_SKIP=1 $(BIN)/python -m pytest tests/test_lab.py -rP

# The DAG of schedules/ in a real Airflow, which is no dependency of awsfed and so gets an environment of its own.
airflow: $(READY)
	$(PYTHON) -m venv $(VENV)/airflow
	$(VENV)/airflow/bin/pip install --quiet apache-airflow==3.3.2 apache-airflow-providers-papermill==3.13.3 '.[sandbox]'
	$(VENV)/airflow/bin/python tools/airflow_dag.py

setup: $(READY)

# uv installs what the lock pins, and is itself installed by pip with the hash of the lock. What runs needs is installed first and alone.
UV := $(BIN)/uv --quiet pip

$(RUNS): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "awsfed needs Python 3.11 or newer; set PYTHON=")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	$(UV) install --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(READY): requirements-dev.lock $(RUNS)
	$(UV) install --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

# Microsoft's emulator of Blob Storage, for the tests of records kept there; where there is no npm, those are skipped.
$(AZURITE): Makefile
	@mkdir -p $(@D)
	@if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --ignore-scripts --before=2026-11-01 --prefix $(@D) azurite@3.35.0; fi
	@touch $@

# New pins for all platforms, hashed; the locks name no registry. What runs needs is pinned as for developers.
COMPILE := $(UV) compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate
lock: $(RUNS)
	$(COMPILE) --all-extras pyproject.toml --output-file requirements-dev.lock
	$(COMPILE) --extra sandbox --extra setup --constraint requirements-dev.lock pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) .sandbox runs dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
