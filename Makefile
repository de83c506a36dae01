# Everything a newcomer types. `make demo` and `make test` create .venv when it is missing.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: demo test portable lint bench docs clean
.DELETE_ON_ERROR:

demo: $(STAMP)
	$(BIN)/python -m xcheck xcheck/examples/breast_cancer.toml

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist worksteal

# The golden and numerical tests as other processors would round; PORTABLE=--quick takes two minutes.
portable: $(STAMP)
	$(BIN)/python -m tests.portable $(PORTABLE)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python -m benchmarks

# Warnings are errors, and every link must lead somewhere. build/docs is static: any host can serve it.
docs: $(STAMP)
	$(BIN)/python -m sphinx -W --keep-going -n -q -d build/doctrees docs build/docs
	$(BIN)/python -m docs._ext.links build/docs

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# constraints.txt pins the whole environment; on a machine without a GPU, torch==2.13.0 is the CPU build
# where the package index has one.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[torch,dev,docs,bench]'
	touch $@
