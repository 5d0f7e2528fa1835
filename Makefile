# make run    install what is missing into .venv, then start everything
# make test   install what the tests need, then run the checks and all tests
# make bench  measure: load, decisions, records, a real FreeSWITCH where there is one; BENCH=--quick for a look;
#             `python -m tests.bench.readme` then puts the figures into README.md

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run test bench lint types unit install install-test help

run: install
	@exec $(BIN)/pointsman up

install: $(VENV)/.installed
install-test: $(VENV)/.tested

help:
	@sed -n '1,/^$$/s/^# //p' Makefile

$(BIN)/python:
	@.ci/python $(VENV)

$(VENV)/.installed: $(BIN)/python requirements.lock pyproject.toml
	@echo "installing Pointsman into $(VENV)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps -e .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed requirements-test.lock
	@echo "installing what the tests need into $(VENV)"
	@$(PIP) install --require-hashes -r requirements-test.lock
	@.ci/packages
	@touch $@

lint: install-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install-test
	$(BIN)/mypy

unit: install-test
	@.ci/tests $(BIN)/python

# Each step runs whatever became of those before it, and any that failed makes the whole fail.
test: install-test
	@failed=""; \
	for step in lint types unit; do \
		$(MAKE) --no-print-directory $$step || failed="$$failed $$step"; \
	done; \
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi; \
	echo "all passed"

# Not among the tests: it takes minutes, and both processors for itself.
bench: install-test
	@exec $(BIN)/python -m tests.bench $(BENCH)
