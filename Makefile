# Engram: `make run` and `make test` need Python 3.11 to 3.13, pip and make, and install everything else.
# PYTHON=/path/to/python chooses the interpreter of the virtual environment; a new choice rebuilds it.

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
QT_READY := $(VENV)/.qt-ready
# Test files run in parallel, one per CPU and at most four: each has engine processes of its own, of about a gigabyte.
SIDE_BY_SIDE := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
SOURCES := engine gui tests bench scripts main.py

export PYTHON
.PHONY: FORCE

.DEFAULT_GOAL := help
.PHONY: help set-up run test check bench shots docs fuzz torture demo-run clean

help:
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):[^#]*## /\1|/' | awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

set-up: $(READY) $(QT_READY) ## create the virtual environment and install Qt's system libraries

$(READY): pyproject.toml constraints.txt scripts/set_up.sh $(if $(PYTHON),FORCE)
	@scripts/set_up.sh $(VENV)
	@touch $@

# Not fatal: without Qt's libraries the engine and its tests still work, and the command to run has been printed.
$(QT_READY): scripts/qt_libraries.py | $(READY)
	@if $(PY) scripts/qt_libraries.py; then touch $@; fi

run: set-up ## open the app; without a display, run the headless demo
	@if $(PY) -m gui.display; then \
	    exec $(PY) main.py; \
	else \
	    echo "Running the headless demo (python -m engine demo)."; \
	    exec $(PY) -m engine demo; \
	fi

test: set-up ## run the tests (ARGS="-k name" selects some)
	@if [ -e $(QT_READY) ]; then \
	    exec $(PY) -m pytest $(SIDE_BY_SIDE) $(ARGS); \
	else \
	    echo "Qt cannot load here, so the tests of the app are skipped."; \
	    exec $(PY) -m pytest -p no:pytest-qt -W ignore::pytest.PytestConfigWarning --ignore tests/gui $(SIDE_BY_SIDE) $(ARGS); \
	fi

check: set-up ## run ruff, mypy, vulture and the import contracts, then the tests
	$(PY) -m ruff check $(SOURCES)
	$(PY) -m ruff format --check $(SOURCES)
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) -m vulture
	@$(MAKE) --no-print-directory test

bench: set-up ## run all benches and print one table with baselines and targets (ARGS="--quick --data FOLDER")
	@$(PY) bench/all.py $(ARGS)

shots: set-up ## take the app's screenshots for docs/images
	@QT_QPA_PLATFORM=offscreen $(PY) scripts/shots.py

docs: set-up ## build the documentation site into build/site, after running its commands (RUN=no builds only)
	@$(PY) -c "import material" 2>/dev/null || $(PY) -m pip install --quiet -e ".[docs]" -c constraints.txt
	@if [ "$(RUN)" != no ]; then QT_QPA_PLATFORM=offscreen $(PY) -W ignore scripts/run_docs.py; fi
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	@echo "The site is in build/site. To read it: $(PY) -m http.server --directory build/site"

fuzz: set-up ## feed mutated files to the readers (ARGS="--inputs 20000 --target ledger")
	@QT_QPA_PLATFORM=offscreen $(PY) -W ignore -m tests.fuzz $(ARGS)

torture: set-up ## cut the power, fill disks, kill jobs, resume them (Linux, root; ARGS="power --filesystem xfs --cuts 20")
	@$(PY) -m tests.torture $(or $(ARGS),power)

demo-run: set-up ## rebuild the demo runs in resources/
	@$(PY) scripts/build_demo_run.py

clean: ## remove the virtual environment, build files and caches
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find engine gui tests resources bench scripts -name __pycache__ -type d -prune -exec rm -rf {} +
