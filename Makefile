# Everything a newcomer needs: `make demo` and `make test`. Each sets itself up first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
ARGS ?=

.PHONY: setup demo test test-long check format lock bench bench-full faults model fuzz clean

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Shouwang needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	$(BIN)/shouwang demo $(ARGS)

# Half of the time of the long tests is waiting, so that three at a time suit two cores; the tests of a file stay together.
WORKERS ?= 3
test: setup
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

# Pins without naming any package index; hashes make the source of a file irrelevant.
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet pip-tools
	.venv-lock/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-annotate --no-header \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra dev --output-file requirements.lock pyproject.toml
	rm -rf .venv-lock

bench: setup
	$(BIN)/python -m benchmarks $(ARGS)

bench-full: setup
	$(BIN)/python -m benchmarks --full $(ARGS)

# The decision core under anything that may happen: so many lives by chance, each of forty things.
model: setup
	MODEL_EXAMPLES=$(or $(EXAMPLES),2000) $(BIN)/python -m pytest tests/model -k chance --show-capture=no $(ARGS)

# Everything around the service broken, and what was lost or told twice counted: about six minutes.
faults: setup
	$(BIN)/python -m tests.faults $(ARGS)

# Tests that are too long for `make test`.
test-long: setup
	$(BIN)/python -m pytest -m long $(ARGS)

# Every decoder under Atheris, which looks for new ways through it: a minute for each dialect. ARGS="tasmota --seconds 600"
fuzz: .venv-fuzz/ready
	.venv-fuzz/bin/python -m tests.fuzzing $(ARGS)

# Atheris is not for every platform, so it is in no lock and has an environment of its own.
.venv-fuzz/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	.venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	.venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check "atheris>=3"
	@touch $@

clean:
	rm -rf .venv .venv-fuzz .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
