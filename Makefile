# Yuanmai. The three commands that matter:
#
#   make run     set everything up, fill a demonstration park, serve it at http://127.0.0.1:8000
#   make setup   the first half of that: .venv and the built assets, so that .venv/bin/yuanmai works
#   make test    set-up, then every check and every test, on SQLite and on PostgreSQL
#
# Needed beforehand: Python >= 3.11, Node >= 20, git, make. PYTHON=python3.12 chooses another Python.
# A step is done again when what it reads is newer than its stamp file.

PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet --retries 10
UV = $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header \
	--no-emit-index-url --no-emit-find-links $(UPGRADE)
NPM = npm --prefix frontend --no-audit --no-fund --no-update-notifier --fetch-retries=6 --fetch-timeout=120000
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadscope --durations=25 --durations-min=5
ASSETS = src/yuanmai/assets

FRONTEND_SOURCES := $(shell find frontend -path frontend/node_modules -prune -o -type f -print 2>/dev/null)
TRANSLATIONS := $(shell find src -name '*.po' 2>/dev/null)
FONT_SOURCES := $(shell find src/yuanmai/core/documents -name '*font*.py' 2>/dev/null)

HOST ?= 127.0.0.1
PORT ?= 8000

export PIP_DEFAULT_TIMEOUT ?= 120

# What a failed step has written is no result.
.DELETE_ON_ERROR:

.PHONY: help setup run test test-setup lint lock build bench fuzz docs clean

help:
	@sed -n 's/^#   make/  make/p' Makefile
	@echo "  make lint | lock [UPGRADE=--upgrade] | build | bench | fuzz | docs | clean"

# --- set-up ----------------------------------------------------------------------------------------------------------

setup: $(VENV)/.made-setup $(VENV)/.made-messages $(ASSETS)/manifest.json

$(VENV)/.made-venv:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
		echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is `$(PYTHON) -V 2>&1`; Yuanmai needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@PYTHON=$(PYTHON) scripts/system_packages.sh venv
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.made-setup: $(VENV)/.made-venv requirements/setup.txt requirements/base.in pyproject.toml build_hook.py
	$(PIP) install --require-hashes -r requirements/setup.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.made-messages: $(TRANSLATIONS) | $(VENV)/.made-setup
	$(BIN)/python -m yuanmai.common.messages
	@touch $@

frontend/node_modules/.made: frontend/package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || { \
		echo "Yuanmai needs Node 20 or newer (found: `node --version 2>/dev/null || echo none`)."; exit 1; }
	$(NPM) ci
	@touch $@

# The build of the front end empties the folder, so the fonts follow it in the same step.
$(ASSETS)/manifest.json: frontend/node_modules/.made $(FRONTEND_SOURCES) $(FONT_SOURCES) | $(VENV)/.made-setup
	$(NPM) run build
	$(BIN)/python -m yuanmai.core.documents.build_fonts --source frontend/node_modules --out $(ASSETS)/fonts
	@touch $@

# --- run -------------------------------------------------------------------------------------------------------------

# Python's packages and Node's come at the same time. Demonstration mode is for this target only.
run: export YUANMAI_DEMO = 1
run: export YUANMAI_BASE_URL = http://$(HOST):$(PORT)
run:
	@$(MAKE) --no-print-directory -j2 setup
	$(BIN)/yuanmai migrate
	$(BIN)/yuanmai demo
	@exec $(BIN)/yuanmai serve --host $(HOST) --port $(PORT)

# --- test ------------------------------------------------------------------------------------------------------------

test-setup: $(VENV)/.made-dev setup tests/peers/node_modules/.made
	@scripts/system_packages.sh test

# Clients of other makers that the gateway is tried with.
tests/peers/node_modules/.made: tests/peers/package-lock.json
	$(subst frontend,tests/peers,$(NPM)) ci --ignore-scripts
	@touch $@

$(VENV)/.made-dev: $(VENV)/.made-setup requirements/dev.txt
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

lint: $(VENV)/.made-dev setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint src/yuanmai --lint --quiet
	$(BIN)/python -m yuanmai.common.messages --check

test:
	@$(MAKE) --no-print-directory -j2 setup $(VENV)/.made-dev
	@$(MAKE) --no-print-directory test-setup
	@$(MAKE) --no-print-directory lint
	$(PYTEST)
	$(BIN)/python scripts/with_postgres.py -- $(PYTEST) -p tests.house.only_database

# --- for developers --------------------------------------------------------------------------------------------------

# One resolution (dev) decides the versions; the smaller lists are cut out of it.
lock: $(VENV)/.made-dev
	$(UV) requirements/dev.in -o requirements/dev.txt
	$(UV) -c requirements/dev.txt requirements/setup.in -o requirements/setup.txt
	$(UV) -c requirements/dev.txt requirements/base.in -o requirements/base.txt

build: $(VENV)/.made-dev setup
	rm -rf dist build
	$(BIN)/python -m build --wheel --no-isolation

# A bounded run over every decoder; longer with FUZZ_SECONDS=3600.
FUZZ_SECONDS ?= 60
fuzz: $(VENV)/.made-dev setup
	for protocol in hj212 jt808 dlt645 cjt188 sparkplug mqtt json modbus; do \
		$(BIN)/python tests/protocols/fuzz.py $$protocol -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -artifact_prefix=/tmp/ || exit 1; \
	done

bench: test-setup
	$(BIN)/python bench/import.py
	$(BIN)/python bench/pages.py
	$(BIN)/python bench/bonds.py
	$(BIN)/python bench/codec.py
	$(BIN)/python bench/ingest.py
	$(BIN)/python bench/query.py
	$(BIN)/python bench/alarms.py
	$(BIN)/python bench/rules.py

docs: $(VENV)/.made-dev
	$(BIN)/zensical build --clean

clean:
	rm -rf $(VENV) $(ASSETS) frontend/node_modules tests/peers/node_modules dist build site .ruff_cache .mypy_cache .import_linter_cache
	find src -name '*.mo' -delete
