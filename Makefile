# Two commands on a fresh machine: `make demo` and `make test`.
# Needs Python 3.11 or newer, git and make; everything else is installed into .venv
# from the hashed lock file.

ifeq ($(OS),Windows_NT)
  PYTHON ?= python
  BIN := .venv/Scripts
else
  PYTHON ?= python3
  BIN := .venv/bin
endif

READY := .venv/ready

.PHONY: demo test lint types check kent notebook lock clean

demo: $(READY)
	$(BIN)/python -m clustering design data/sample/study.toml --out outputs/demo --seed 1 --gap 0.05

test: $(READY)
	$(BIN)/python -m pytest -n auto

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

check: lint types test

kent: $(READY)
	$(BIN)/python -m clustering design benchmarks/kent.toml --out outputs/kent --seed 1

notebook: $(READY)
	$(BIN)/jupyter lab notebooks

# Only for maintainers: rewrites the lock file after a change of dependencies.
lock:
	uv pip compile --universal --generate-hashes --no-annotate --no-header \
	  --python-version 3.11 --extra test pyproject.toml -o requirements.lock

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -c "from pathlib import Path; Path('.venv/ready').touch()"

clean:
	$(PYTHON) -c "import shutil; [shutil.rmtree(p, ignore_errors=True) for p in ('.venv', 'outputs/demo')]"
