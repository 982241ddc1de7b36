# Everything a fresh machine with Python 3.11 or 3.12 and make needs. `make` alone lists the commands.
# The environment is made once for each lock file; a second run only checks the stamps.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo dev test chaos soak scores bench bench-quick bench-long reference pictures check check-types check-types-windows lock
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
# The product is many short processes: compiled anew, each costs two to four times as much.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	$(UPGRADE)
FITS := sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))

help: ## List these commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/demo.stamp ## Profile a real file end to end, with everything started and stopped for you.
	@$(BIN)/python -m backend demo

dev: .venv/demo.stamp ## The same stack, staying up, with code reload; Ctrl+C stops it.
	@$(BIN)/python -m backend dev

test: .venv/dev.stamp ## The whole test suite.
	$(BIN)/python -m pytest -n auto --maxprocesses=4 --dist=loadscope --no-loadscope-reorder

chaos: .venv/dev.stamp ## The proof: break everything that can break, 1,000 tasks under 60 kills; an hour.
	@$(BIN)/python -m pytest -q -m long
	@$(BIN)/python -m backend verify chaos --long

soak: .venv/dev.stamp ## Twenty minutes of mixed load and kills: nothing may grow, nothing be left; SOAK=3600 for an hour.
	@$(BIN)/python -m bench.soak $(if $(WRITE),--write)

rolling: .venv/dev.stamp ## A rolling deploy under work, from another revision to this one: OLD=80e659f; some minutes.
	@$(BIN)/python -m tests.acceptance.rolling $(OLD)

scores: .venv/dev.stamp ## Every agent on public data with ground truth: docs/SCORES.md; ONLY="errors drift" for some.
	@$(BIN)/python -m scores $(ONLY)

bench: .venv/dev.stamp ## Agensium beside others on this machine: docs/BENCHMARKS.md; ONLY="P1 P5" for some; 20 minutes.
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY))

bench-quick: .venv/dev.stamp ## The short form of the short measures, two minutes; nothing under docs/ changes.
	@$(BIN)/python -m bench --quick --out .agensium/bench

bench-long: .venv/dev.stamp ## The tables alone, to ten million rows.
	@$(BIN)/python -m bench --long --only P9

reference: .venv/dev.stamp ## Make docs/reference/ anew from the code.
	@$(BIN)/python -m tests.docs.reference

pictures: .venv/dev.stamp ## Record docs/run.svg anew, and the pages in docs/pages/ by a browser; some minutes.
	@$(BIN)/python -m tests.docs.recording
	@$(BIN)/python -m tests.web.pictures

check: .venv/dev.stamp ## Lint, format, types and the staircase of imports.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory --jobs=2 check-types check-types-windows

# Side by side: of a new checkout each takes a minute of a processor.
check-types: .venv/dev.stamp
	$(BIN)/mypy

check-types-windows: .venv/dev.stamp
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/windows

lock: .venv/uv.stamp ## Make the lock files anew from pyproject.toml; UPGRADE=--upgrade takes newer versions.
	$(COMPILE) --extra dev pyproject.toml --output-file requirements-dev.lock
	$(COMPILE) --extra demo --constraint requirements-dev.lock pyproject.toml --output-file requirements-demo.lock
	$(COMPILE) --extra otel --constraint requirements-dev.lock pyproject.toml --output-file requirements.lock
	echo uv | $(COMPILE) - --output-file requirements-uv.lock
	echo "setuptools>=80" | $(COMPILE) --constraint requirements-dev.lock - --output-file requirements-build.lock

# The project itself needs no network: its build backend is in the lock.
.venv/demo.stamp .venv/dev.stamp: .venv/%.stamp: requirements-%.lock pyproject.toml .venv/uv.stamp
	@echo "Installing $<"
	@$(INSTALL) --require-hashes --requirement $<
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# A candidate is run, not looked up: a version manager's shim may be there and answer nothing.
.venv/uv.stamp: requirements-uv.lock
	@$(BIN)/python -c 'import pip, sys; $(FITS)' >/dev/null 2>&1 || for python in $(PYTHON) python3.12 python3.11 python3 python; do \
		"$$python" -c 'import ensurepip, sys, venv; $(FITS)' >/dev/null 2>&1 || continue; \
		echo "Making .venv with $$("$$python" --version)"; \
		exec "$$python" -m venv --clear .venv; \
	done
	@$(BIN)/python -c '' 2>/dev/null || { \
		echo "Agensium needs Python 3.11 or 3.12 with venv and ensurepip, and found none that runs."; \
		echo "Install one (Debian and Ubuntu: python3 and python3-venv), or name it: make demo PYTHON=/path/to/python"; \
		exit 1; } >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@
