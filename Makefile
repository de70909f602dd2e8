# `make test` does here what CI does. Needed beforehand: make, and a CPython 3.11, 3.12 or 3.13
# with venv and pip (on PATH or in pyenv). Everything is made in .venv/, dist/, .bench/ and .compat/.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

export PIP_DISABLE_PIP_VERSION_CHECK := 1
PIP_QUIET := --quiet

# The oldest and the newest CPython of the machine, as versions ("3.11 3.13"); maybe one alone.
ifndef VERSIONS
VERSIONS := $(filter 3.%,$(shell python3 scripts/interpreters.py))
export VERSIONS
endif
ifeq ($(VERSIONS)$(filter help clean,$(or $(MAKECMDGOALS),help)),)
$(error no usable CPython, see above)
endif
OLDEST := $(firstword $(VERSIONS))
NEWEST := $(lastword $(VERSIONS))

SOURCES := $(shell find src -name '*.py' -o -name '*.pyi' -o -name '*.c' -o -name py.typed) pyproject.toml hatch_build.py README.md LICENSE
CHECKED := src tests benchmarks compat scripts examples hatch_build.py
# The wheel is dist/*.whl, made for this system.
WHEEL := dist/built.stamp
BLOCKS := src/whotests/probes/_blocks.abi3.so

# The output of parallel targets stays in one piece where make can do that (4.0 and later).
PARALLEL := -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.PHONY: help
help: ## show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: test
test: check $(VERSIONS:%=.venv/%/wheel.stamp) ## what CI does: check, then the suite on the built wheel, oldest and newest CPython
	@$(MAKE) $(PARALLEL) --keep-going $(VERSIONS:%=suite-%)

.PHONY: check
check: .venv/$(OLDEST)/tools.stamp ## formatting, lint and types only
	.venv/$(OLDEST)/bin/ruff format --check $(CHECKED)
	.venv/$(OLDEST)/bin/ruff check $(CHECKED)
	.venv/$(OLDEST)/bin/mypy --python-version $(OLDEST)

.PHONY: quick
quick: .venv/$(NEWEST)/wheel-once.stamp $(BLOCKS) ## the suite on the working tree, newest CPython (ARGS='-k word' narrows it)
	PYTHONPATH=$(CURDIR)/src .venv/$(NEWEST)/bin/python -m pytest -q $(ARGS)

.PHONY: demo
demo: .venv/demo.stamp ## run whotests on jinja2's own suite, and ask it who tests what
	@sh scripts/demo.sh .venv/demo

.PHONY: bench
bench: .venv/$(OLDEST)/wheel.stamp $(WHEEL) ## measure cost and size against coverage.py, into docs/benchmarks.md (ARGS='--suite jinja2')
	.venv/$(OLDEST)/bin/python -m benchmarks --wheel dist/*.whl $(ARGS)
	@$(if $(ARGS),:,$(MAKE) bench-stream bench-large bench-combining bench-running)

.PHONY: bench-large
bench-large: .venv/$(OLDEST)/wheel.stamp ## make a data set of a million lines and ask it, into docs/benchmarks.md
	.venv/$(OLDEST)/bin/python -m benchmarks.large

.PHONY: bench-combining
bench-combining: .venv/$(OLDEST)/wheel.stamp $(WHEEL) ## combine 100 shards of a suite with whotests and coverage.py, into docs/benchmarks.md
	.venv/$(OLDEST)/bin/python -m benchmarks.combining --wheel dist/*.whl

.PHONY: bench-running
bench-running: .venv/$(OLDEST)/wheel.stamp $(WHEEL) ## run suites with unittest, trial, pytest, xdist, stestr and whotests test, and simulate large ones, into docs/benchmarks.md
	.venv/$(OLDEST)/bin/python -m benchmarks.running --wheel dist/*.whl $(ARGS)
	@$(if $(ARGS),:,.venv/$(OLDEST)/bin/python -m benchmarks.scheduling)

.PHONY: bench-stream
bench-stream: .venv/$(OLDEST)/wheel.stamp ## measure the stream, subunit and test cases against testtools and python-subunit, into docs/benchmarks-stream.md
	.venv/$(OLDEST)/bin/python -m benchmarks.stream
	.venv/$(OLDEST)/bin/python -m benchmarks.packets
	.venv/$(OLDEST)/bin/python -m benchmarks.cases

.PHONY: bench-cluster
bench-cluster: .venv/$(OLDEST)/wheel.stamp ## measure what a Dask cluster costs beside local workers, into docs/benchmarks.md
	.venv/$(OLDEST)/bin/python -m benchmarks.cluster

.PHONY: compat
compat: .venv/$(OLDEST)/wheel.stamp $(WHEEL) ## run real suites with and without whotests, compare every outcome, into docs/compat.md; follow docs/switching.md (ARGS='--suite click')
	.venv/$(OLDEST)/bin/python -m compat --wheel dist/*.whl $(ARGS)
	@$(if $(ARGS),:,.venv/$(OLDEST)/bin/python -m compat.switching --wheel dist/*.whl)
	@$(if $(ARGS),:,cd tests && WHOTESTS_KILLS=200 ../.venv/$(OLDEST)/bin/python -m pytest -q -p no:cacheprovider \
	  -k killed_runs_keep test_wrong_ending.py)

.PHONY: compat-verdicts
compat-verdicts: .venv/$(OLDEST)/wheel.stamp $(WHEEL) ## run real suites with `whotests test` in all its ways, kill its workers at random, compare with the hosts' own runners, into docs/compat.md (ARGS='--suite testtools --kills 5')
	.venv/$(OLDEST)/bin/python -m compat.verdicts --wheel dist/*.whl $(ARGS)

.PHONY: pages
pages: .venv/$(OLDEST)/wheel.stamp ## make docs/schema.md and the outputs of docs/five-questions.ipynb anew
	.venv/$(OLDEST)/bin/python scripts/schema_page.py > docs/schema.md.new
	mv docs/schema.md.new docs/schema.md
	.venv/$(OLDEST)/bin/python scripts/notebook.py

.PHONY: fuzz
fuzz: .venv/$(OLDEST)/wheel.stamp ## import 100,000 damaged files of each format, in tens of minutes (FILES=1000 SEED=2)
	@cd tests && for format in coverage coverage-json lcov cobertura whotests; do \
	  TMPDIR=$$(if [ -d /dev/shm ]; then echo /dev/shm; else echo $${TMPDIR:-/tmp}; fi) \
	  ../.venv/$(OLDEST)/bin/python foreign_fuzz.py $$format $(or $(FILES),100000) $(or $(SEED),1) || exit 1; done

.PHONY: clean
clean: ## remove everything that the targets above made
	rm -rf $(BLOCKS) .venv .bench .compat dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis

# What depends on whether blocks are in C. With the newest Python it is run with both.
TWO_KINDS := test_probes_*.py test_recording_*.py test_exact_*.py test_transparent_*.py

# One run of the suite. It starts in tests/, so that src/ is not importable and what is tested is
# the wheel; the first line of the recipe makes sure of that.
.PHONY: suite-%
suite-%: .venv/%/wheel.stamp
	@cd tests && ../.venv/$*/bin/python -c 'import sys, whotests; \
	  sys.exit("site-packages" not in whotests.__file__ and "not the wheel: " + whotests.__file__)'
	@echo "== the suite on the wheel, CPython $*"
	@cd tests && ../.venv/$*/bin/python -m pytest -q -p no:cacheprovider \
	  $(if $(filter $(OLDEST),$*),,-m 'not suites') $(ARGS)
	@$(if $(filter $(NEWEST),$*),$(MAKE) blocks-$*)

.PHONY: blocks-%
blocks-%:
	@echo "== what depends on blocks, with blocks in Python, CPython $*"
	@cd tests && WHOTESTS_BLOCKS=python ../.venv/$*/bin/python -m pytest -q -p no:cacheprovider \
	  -m 'not suites' $(TWO_KINDS)

# --- environments, remade when what they come from changes

$(WHEEL): $(SOURCES) | .venv/$(OLDEST)/venv.stamp
	rm -rf dist
	@command -v cc > /dev/null || apt-get install -qq --yes gcc libc6-dev
	.venv/$(OLDEST)/bin/python -m pip wheel $(PIP_QUIET) --no-deps --wheel-dir dist .
	touch $@

# What runs from src/ has it there; building a wheel leaves it.
$(BLOCKS): src/whotests/probes/_blocks.c hatch_build.py | .venv/$(OLDEST)/venv.stamp
	.venv/$(OLDEST)/bin/python -m pip wheel $(PIP_QUIET) --no-deps --wheel-dir dist/sources .

.PRECIOUS: .venv/%/venv.stamp .venv/%/tools.stamp .venv/%/wheel.stamp
.venv/%/venv.stamp: scripts/interpreters.py
	rm -rf .venv/$*
	"$$(python3 scripts/interpreters.py $*)" -m venv .venv/$*
	.venv/$*/bin/python -m pip install $(PIP_QUIET) --upgrade 'pip>=25.1'
	touch $@

.venv/%/tools.stamp: pyproject.toml .venv/%/venv.stamp
	.venv/$*/bin/python -m pip install $(PIP_QUIET) --group $(if $(filter $(OLDEST),$*),check,test) .
	touch $@

.venv/%/wheel.stamp: $(WHEEL) .venv/%/tools.stamp
	.venv/$*/bin/python -m pip install $(PIP_QUIET) --no-deps --force-reinstall dist/*.whl
	touch $@

.venv/%/wheel-once.stamp: .venv/%/tools.stamp
	touch $@

.venv/demo.stamp: $(WHEEL)
	rm -rf .venv/demo
	"$$(python3 scripts/interpreters.py $(OLDEST))" -m venv .venv/demo
	.venv/demo/bin/python -m pip install $(PIP_QUIET) dist/*.whl pytest==9.2.0 trio==0.35.0
	.venv/demo/bin/python -m pip download $(PIP_QUIET) --no-deps --no-binary jinja2 --dest .venv/demo jinja2==3.1.6
	mkdir .venv/demo/project
	tar -xzf .venv/demo/jinja2-3.1.6.tar.gz -C .venv/demo/project --strip-components 1
	.venv/demo/bin/python -m pip install $(PIP_QUIET) --editable .venv/demo/project
	touch $@
