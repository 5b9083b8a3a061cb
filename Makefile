# Needs only python3 (3.11 or newer, with venv) and make. `make` alone lists what there is.

PYTHON ?= python3
UV ?= uv

VENV := .venv
TEST_VENV := .venv-test
READERS_VENV := .venv-readers
PIP_OPTIONS := -q --disable-pip-version-check --no-deps --no-compile

# What the requirement files pin: base.txt what tpmirror runs with, install.txt its extras and what installs it too,
# test.txt that and all checks, readers.txt engines that read an export.
INSTALL_SET := --group build --all-extras
TEST_SET := $(INSTALL_SET) --group test --group release --group lint
COMPILE := $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test test-all lint bench soak docs lock release clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.install-stamp ## install tpmirror into .venv

demo: $(VENV)/.base-stamp ## a mirror of a made-up account, from first sync to proof; installs no command
	$(VENV)/bin/python -m tpmirror demo

test: lint ## formatting, lint, types, every behaviour on SQLite, all SQL on PostgreSQL, each page in Chromium
	@$(TEST_VENV)/bin/python -m tests.support.browser
	@echo "Running the tests ..."
	@$(TEST_VENV)/bin/python -m pytest -m "not exhaustive"

test-all: test $(READERS_VENV)/.base-stamp ## that, its repeats on PostgreSQL, PgBouncer, readers, simulation, kills, faults, mutants, fuzz
	@$(TEST_VENV)/bin/python -m tests.support.debian
	@echo "Running the exhaustive tests ..."
	@$(TEST_VENV)/bin/python -m pytest -m exhaustive

lint: $(TEST_VENV)/.install-stamp ## formatting, lint, imports and types only
	@echo "Checking style and types ..."
	@$(TEST_VENV)/bin/ruff check --quiet
	@$(TEST_VENV)/bin/ruff format --check --quiet
	@$(TEST_VENV)/bin/lint-imports --no-logo --no-cache
	@$(TEST_VENV)/bin/mypy

bench: $(TEST_VENV)/.install-stamp ## run the benchmarks
	$(TEST_VENV)/bin/python -m benchmarks

soak: $(TEST_VENV)/.install-stamp ## the simulation and the kills of test-all, 50 times over, and a pooler: an hour or two
	$(TEST_VENV)/bin/python -m tests.soak

docs: $(TEST_VENV)/.install-stamp ## write docs/data-dictionary.md and the manual page docs/tpmirror.1 from the code
	$(TEST_VENV)/bin/python -m tests.support.dictionary > docs/data-dictionary.md
	$(TEST_VENV)/bin/python -m tests.support.manpage > docs/tpmirror.1

# --upgrade takes the newest versions that pyproject.toml allows: make lock UPGRADE=--upgrade
lock: ## pin all requirements with hashes (needs uv, as in .venv-test/bin); UPGRADE=--upgrade for newer versions
	$(COMPILE) $(UPGRADE) $(TEST_SET) --output-file requirements/test.txt
	$(COMPILE) $(UPGRADE) $(INSTALL_SET) --constraint requirements/test.txt --output-file requirements/install.txt
	$(COMPILE) $(UPGRADE) --constraint requirements/test.txt --output-file requirements/base.txt
	$(subst pyproject.toml ,,$(COMPILE)) $(UPGRADE) --group readers --output-file requirements/readers.txt

release: docs ## build sdist, wheel, SBOM and the image's build context into dist, checked
	rm -rf dist
	@$(TEST_VENV)/bin/python -m tests.support.release dist

clean: ## remove the environments, caches and builds; never a database
	rm -rf $(VENV) $(TEST_VENV) $(READERS_VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than what its environment was made from, or the installation runs again.
$(VENV)/.base-stamp: requirements/base.txt
$(READERS_VENV)/.base-stamp: requirements/readers.txt
$(VENV)/.install-stamp: requirements/install.txt
$(TEST_VENV)/.install-stamp: requirements/test.txt

# The pip that comes with Python fills an environment, pip's pinned version included: a venv that brings its own copy takes
# ten times as long to make. Only where Python has no pip, or one before 22.3 that knows no --python, a venv brings it.
define pinned
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "tpmirror needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1)."; \
		echo "Name a newer one: make install PYTHON=/path/to/python3"; exit 1; }
	@echo "Creating $(@D) ..."
	@# --no-deps: the files name every package. An older pip would look for the extras of a pinned one again, and refuse
	@# a release that came out since.
	@$(PYTHON) -m venv --without-pip $(@D) && pip="$(PYTHON) -m pip --python $(@D)/bin/python" && \
		{ $$pip --version >/dev/null 2>&1 || { $(PYTHON) -m venv $(@D) && pip="$(@D)/bin/python -m pip"; }; } && \
		echo "Installing pinned requirements ..." && \
		$$pip install $(PIP_OPTIONS) --require-hashes -r $(filter requirements/%,$^)
endef

$(VENV)/.base-stamp $(READERS_VENV)/.base-stamp:
	$(pinned)
	@touch $@

$(VENV)/.install-stamp $(TEST_VENV)/.install-stamp: pyproject.toml
	$(pinned)
	@echo "Installing tpmirror ..."
	@$(@D)/bin/python -m pip install $(PIP_OPTIONS) --no-build-isolation -e .
	@touch $(@D)/.base-stamp $@
