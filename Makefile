# Every target makes its own environment; `make test` is what the CI runs.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help venv demo test check bench accuracy fuzz docs clean

help:
	@echo "make venv | demo | test | check | bench | accuracy | fuzz | docs | clean"

venv: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "fuse needs Python 3.11 or newer: make PYTHON=python3.x"; exit 1; }
	test -x $(RUN) && $(RUN) -m pip --version >/dev/null || $(MAKE) --no-print-directory $(VENV)-new
	$(RUN) -m pip install -qq --editable '.[all,test]'
	@touch $@

# Debian ships python3 without ensurepip; any pip of the system can then fill an empty environment.
.PHONY: $(VENV)-new
$(VENV)-new:
	$(PYTHON) -m venv --clear $(VENV) \
		|| { $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(RUN) install pip; }

demo: venv
	$(RUN) -m examples

check: venv
	$(RUN) -m ruff check .
	$(RUN) -m mypy -p fuse

test: check
	$(RUN) -m pytest -n 2

bench: venv
	$(RUN) -m bench run --quick

accuracy: venv
	$(RUN) -m tests.accuracy

fuzz: venv
	$(RUN) -m tests.fuzz
	$(RUN) -m tests.fuzz numpy --count 5000
	$(RUN) -m tests.fuzz numpy --count 300 --run compiled

docs: venv
	$(RUN) -m docs.generate

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
