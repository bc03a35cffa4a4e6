# Every target does its own set-up: a virtual environment beside the sources, installed from the hashed lock.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
AZURITE := $(VENV)/azurite/.ready

.PHONY: demo tutorial test lint types unit faults planted campaign lab airflow lock setup clean

demo: $(READY)
	$(BIN)/awsfed demo

tutorial: $(READY)
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
	AWSFED_CRASH_CASES=20500 AWSFED_BODIES=100000 AWSFED_HISTORIES=2000 AWSFED_FAULT_CASES=5400 AWSFED_AWS_FAULT_CASES=200 AWSFED_KILLS=102 AWSFED_CREATE_CASES=all \
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

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "awsfed needs Python 3.11 or newer; set PYTHON=")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

# Microsoft's emulator of Blob Storage, for the tests of records kept there; where there is no npm, those are skipped.
$(AZURITE): Makefile
	@mkdir -p $(@D)
	@if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --ignore-scripts --before=2026-11-01 --prefix $(@D) azurite@3.35.0; fi
	@touch $@

# New pins for all platforms, hashed; the lock names no registry.
lock:
	$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	$(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) .sandbox runs dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
