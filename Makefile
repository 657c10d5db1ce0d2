# Everything a person or CI does, by name. `make demo` and `make test` need nothing but Python 3.11-3.13.

PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)
VENV ?= .venv
JOBS ?= 2
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WHEELS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/zoo-wheels
PLUGINS := $(wildcard plugins/*/pyproject.toml)

.PHONY: install demo test lint format docs checks scatter constraints clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt $(PLUGINS)
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 to 3.13 found; name one: make PYTHON=/path/to/python3.11"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	for plugin in $(dir $(PLUGINS)); do \
		$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e $$plugin || exit 1; done
	touch $@

# The main job, offline: train SchNet and GAT on both packaged systems, beside the baselines.
demo: $(STAMP)
	rm -rf demo
	$(BIN)/zoo bench quickstart --out demo
	@echo "Open demo/report.html in a browser."

# Side by side, a file to a process: each test has its own folders, and a thread of its own is quicker than half of two.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP)
	$(BIN)/python docs/generate.py
	$(BIN)/mkdocs build --strict

# Compare each packaged sample that changed with independent facts; `make docs` then draws docs/data.md.
checks: $(STAMP)
	$(BIN)/python docs/data_page.py --check

# torch-scatter comes as source only: about nine minutes to build, kept for the next time.
scatter: $(STAMP)
	set -e; dir="$(WHEELS)/$$($(BIN)/python -c 'import sys, torch; print(f"py{sys.version_info[0]}{sys.version_info[1]}-torch{torch.__version__}")')"; \
	ls "$$dir"/torch_scatter-*.whl >/dev/null 2>&1 || \
		$(BIN)/python -m pip wheel -q --no-deps --no-build-isolation -c constraints.txt -w "$$dir" torch-scatter; \
	$(BIN)/python -m pip install -q --no-deps "$$dir"/torch_scatter-*.whl

# What is installed now becomes what everybody installs.
constraints: $(STAMP)
	{ echo "# Versions that CI and the README's commands install. Written by 'make constraints'."; \
	  $(BIN)/python -m pip freeze --exclude-editable --exclude molzoo --exclude torch-scatter | sed 's/+cpu//' | grep -v '^molzoo'; } > constraints.new
	mv constraints.new constraints.txt

clean:
	rm -rf $(VENV) demo site build *.egg-info
