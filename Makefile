# Each goal first makes .venv, with the package and what the goals need in it, and
# renews the installation when a source has changed: tests run what users get.

PYTHON ?= python3
BIN := .venv/bin
# With their directories, whose time says that a file was added or removed.
SOURCES := $(shell find s6log supervisor -name __pycache__ -prune -o -print)

help:
	@echo 'make demo   services and loggers at work, and two of them killed'
	@echo 'make test   every test'
	@echo 'make lint   formatting, style and types'
	@echo 'make bench  speed and memory, side by side with s6, runit and supervisord'

demo: .venv/installed
	@sh fixtures/demo/run $(BIN) $(DIR)

test: .venv/installed
	@$(BIN)/pytest -n auto

bench: .venv/installed
	@$(BIN)/python tests/bench/bench.py; code=$$?; \
	$(BIN)/python tests/bench/fanout.py || code=1; \
	PYTHONPATH=tests $(BIN)/python tests/bench/containers.py || code=1; \
	$(BIN)/python tests/bench/supervision.py && exit $$code

lint: .venv/installed
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy

# build/ goes, since setuptools would install modules from it that are deleted.
.venv/installed: pyproject.toml $(SOURCES)
	@$(BIN)/pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check '.[test]'
	@rm -rf build s6log.egg-info
	@touch $@

.PHONY: help demo test bench lint
