# Tombola: `make setup`, then everything runs from .venv; `make help` lists the rest.

PYTHON          ?= python3
TORCH_INDEX_URL ?=
PYTEST_ARGS     ?=
DEMO_ARGS       ?=

VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.stamp
PIP   := $(BIN)/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore

# Only torch and what it needs comes from that index; everything else from the default one.
TORCH_INDEX := $(if $(TORCH_INDEX_URL),--index-url $(TORCH_INDEX_URL))
TORCH       := $(shell grep '^torch==' constraints.txt)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow lint clean distclean

help:
	@echo "make setup      install the tombola command and every tool into $(VENV)"
	@echo "make demo       a ticket, its engine and the proof that both agree"
	@echo "make lint       ruff, mypy, import-linter"
	@echo "make test       lint, then the tests that take seconds"
	@echo "make test-slow  the tests that take minutes"
	@echo "make clean      remove what was generated; make distclean also removes $(VENV)"
	@echo ""
	@echo "PYTHON=python3.12      the Python (3.11 or newer) that setup starts from"
	@echo "TORCH_INDEX_URL=URL    where setup takes torch from; without it the default index may"
	@echo "                       serve the CUDA build, which is gigabytes; the index of the CPU"
	@echo "                       build is the one that PyTorch's installation page names"
	@echo "PYTEST_ARGS='-k name'  passed on to pytest"
	@echo "DEMO_ARGS='--json'     passed on to tombola demo"

setup: $(STAMP)

# torch goes first and alone: what needs it then finds it installed and brings no other build.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "$(PYTHON) is older than 3.11; run make setup PYTHON=python3.11" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) $(TORCH_INDEX) $(TORCH)
	$(PIP) --constraint constraints.txt --editable '.[dev]'
	@touch $@
	@echo "$(BIN)/tombola is ready"

demo: setup
	$(BIN)/tombola demo $(DEMO_ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

test-slow: setup
	$(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

clean:
	rm -rf build dist sim_build .pytest_cache .ruff_cache .mypy_cache .hypothesis
	rm -rf .import_linter_cache
	find sw hw boards sim tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)
