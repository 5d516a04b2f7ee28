PYTHON ?= python3
UV_VERSION := 0.13.8

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := normalization
TRAINED := imbalanced-data

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench

help: ## say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) ## grade two classes of sample submissions: right, wrong and hostile; trained models
	@mkdir -p build && rm -f build/demo.db* build/xenia.*
	@$(BIN)/grader grade examples/class -a $(DEMO) --gradebook build/demo.db
	@echo
	@echo "Four who trained a classifier for fraud, judged on rows that they have not seen:"
	@$(BIN)/grader grade examples/metrics -a $(TRAINED) --gradebook build/demo.db
	@$(BIN)/grader show xenia -a $(TRAINED) --gradebook build/demo.db --html build/xenia.html --json build/xenia.json >/dev/null
	@echo
	@echo "What one of them achieved, and why it is not all of the points:"
	@$(BIN)/python -c 'import json; print(*(test["reason"] for test in json.load(open("build/xenia.json"))["tests"] if test["reason"]), sep="\n")'
	@echo
	@echo "Next: open build/xenia.html, with its confusion matrix and its curves; and see why a student has a mark,"
	@echo "STUDENT being a name of the first table:"
	@echo "  $(BIN)/grader show STUDENT -a $(DEMO) --gradebook build/demo.db"

test: $(STAMP) ## run every test
	@$(BIN)/python -m pytest

lint: $(STAMP) ## check style, format and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

bench: $(STAMP) ## measure throughput and feedback time
	@$(BIN)/python -m bench

# The stamp goes first and comes back last, so that an interrupted install is taken up again.
$(STAMP): pyproject.toml requirements.lock Makefile
	@rm -f $@
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "dlquiz needs Python 3.11 or newer, and '$(PYTHON)' is not; name one, as in: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments; install its venv package, as in: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip install --python $(BIN)/python --compile-bytecode -r requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python --no-build-isolation --no-deps -e .
	@touch $@
