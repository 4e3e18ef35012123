# `make` alone lists the targets. PYTHON chooses the interpreter that makes the environment.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PIP    := -m pip --disable-pip-version-check
REMOTES := addresses auth changes checks classify comparison constraints contents dialect errand forms \
           list_checks masking meanings naming pages paths patience placeholders places pointers \
           portrait problems sections selection templates times \
           salesforce/answers salesforce/composite salesforce/describing \
           salesforce/errands salesforce/feed salesforce/group salesforce/ids salesforce/limits \
           salesforce/objects salesforce/rows salesforce/settings salesforce/sights salesforce/soql \
           salesforce/together salesforce/updated salesforce/bound salesforce/witnesses
PURE   := values events record drafts explanation outcomes conflicts policies decisions resolutions \
          descriptions fitting modelling receiver/headers receiver/messages receiver/sequence \
          sync/backoff sync/doubts sync/floor sync/turns sync/seen sync/settings sync/sightings \
          sync/verdict log/chain log/mapper $(REMOTES:%=remotes/%)
MUTATE := $(PURE)
COMMA  := ,
SPACE  := $(subst ,, )
CORE   := $(subst $(SPACE),$(COMMA),$(PURE:%=journal/%.py))
LINK   := tests/integration/test_lossy_link.py
# What `check` runs beside the integration tests, on a second core.
BESIDE := covered-rest link simulate docs
COVERED = $(BIN)/python -m coverage run -p -m pytest -q
step    = @printf '== %s\n'

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install format lint types imports test link simulate planted docs check check-long bench mutation run \
        run-salesforce wheel clean format-check test-covered covered-clean covered-integration \
        covered-rest covered-core

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | \
	    awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

# The environment follows the two files that describe it; otherwise this costs nothing.
$(STAMP): pyproject.toml tests/constraints.txt
	$(step) 'install: the package and its tools into $(VENV)'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP) install -q -c tests/constraints.txt -e '.[dev]'
	@touch $@

install: $(STAMP) ## make the environment: package (editable), tools, pinned versions
	@:

format: $(STAMP) ## format the code
	$(step) 'format: ruff format, import order'
	@$(BIN)/ruff check -q --select I --fix
	@$(BIN)/ruff format -q

format-check: $(STAMP)
	$(step) 'format: ruff format --check'
	@$(BIN)/ruff format -q --check

lint: $(STAMP) ## ruff, nearly every rule
	$(step) 'lint: ruff check'
	@$(BIN)/ruff check -q

types: $(STAMP) ## mypy, strict, tests too
	$(step) 'types: mypy'
	@$(BIN)/mypy --no-error-summary

imports: $(STAMP) ## import-linter: the floors of the house
	$(step) 'imports: import-linter'
	@$(BIN)/lint-imports --no-logo > $(VENV)/imports.txt || { cat $(VENV)/imports.txt; exit 1; }

test: $(STAMP) ## the tests, without the long ones
	$(step) 'test: pytest'
	@$(BIN)/python -m pytest -q tests

test-covered: $(STAMP) covered-clean covered-rest covered-integration covered-core

covered-clean:
	@$(BIN)/python -m coverage erase

covered-integration:
	$(step) 'test: pytest with branch coverage, the parts together'
	@$(COVERED) tests/integration --ignore=$(LINK)

covered-rest:
	$(step) 'test: pytest with branch coverage, the parts'
	@$(COVERED) tests --ignore=tests/test_examples.py --ignore=tests/integration

covered-core:
	$(step) 'test: 100 % of the pure core'
	@$(BIN)/python -m coverage combine -q
	@$(BIN)/python -m coverage report --include=$(CORE) --fail-under=100
	@printf 'coverage of all: %s %%\n' "$$($(BIN)/python -m coverage report --format=total)"

link: $(STAMP) ## a thousand drafts over each of 25 bad links
	$(step) 'link: pytest, drafts over bad links, their sender killed'
	@$(BIN)/python -m pytest -q $(LINK)

simulate: $(STAMP) ## the library in 2,000 simulated days on which everything goes wrong
	$(step) 'simulate: 2,000 seeds, every fault row met'
	@$(BIN)/python -m journal simulate --seeds 2000
	$(step) 'simulate: every two operations at one service, a crash at every call'
	@$(BIN)/python -m journal simulate --exhaustive 2 --only memory/etag/under-way

planted: $(STAMP) ## mistakes in the library, one at a time, that the simulator must find
	$(step) 'planted: each bug from seed 0 on, until it is found'
	@$(BIN)/python -m tests.integration.simulate.planted

docs: $(STAMP) ## every example in the README and in docs/
	$(step) 'docs: pytest on the examples'
	@$(BIN)/python -m pytest -q tests/test_examples.py tests/test_docs.py

wheel: $(STAMP) ## build the wheel, install it into a clean environment, import it
	$(step) 'wheel: build, install with the core dependencies only, import'
	@rm -rf dist
	@$(BIN)/python $(PIP) wheel -q --no-deps -w dist .
	@$(BIN)/python -m venv dist/clean
	@dist/clean/bin/python $(PIP) install -q -c tests/constraints.txt dist/*.whl
	@dist/clean/bin/python -I -c 'import journal, projections; from importlib.resources import files; \
	    missing = [p for p in ("journal", "projections") if not (files(p) / "py.typed").is_file()]; \
	    assert not missing, f"py.typed is missing in {missing}"; \
	    assert "site-packages" in journal.__file__, journal.__file__'
	@rm -rf dist/clean

check: format-check lint types imports wheel covered-clean ## everything that CI runs
	@$(MAKE) $(BESIDE) > $(VENV)/beside.txt 2>&1 & beside=$$!; \
	    $(MAKE) covered-integration; covered=$$?; \
	    wait $$beside; others=$$?; cat $(VENV)/beside.txt; exit $$((covered + others))
	@$(MAKE) covered-core

check-long: $(STAMP) ## the tests that take minutes
	$(step) 'test: pytest, the long ones'
	@$(BIN)/python -m pytest -q -m long tests

bench: $(STAMP) ## measure against raw sqlite3 and stock eventsourcing
	$(step) 'bench'
	@$(BIN)/python -m tests.bench

mutation: $(STAMP) ## mutate the pure core: do the tests notice? Hours; MUTATE='record drafts' for some of it
	$(step) 'mutation: mutmut over $(words $(MUTATE)) modules, each against its own tests'
	@$(BIN)/python $(PIP) install -q -c tests/constraints.txt -e '.[mutation]'
	@nice -n 19 $(BIN)/python -m tests.mutation $(MUTATE)

run: $(STAMP) ## the tutorial: a day of changes, offline and synced
	@$(BIN)/python docs/tutorial/day.py

run-salesforce: $(STAMP) ## the same against an org of Salesforce, which is a stand-in
	@$(BIN)/python docs/tutorial/salesforce_day.py

clean: ## remove everything that the tools made
	@rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache \
	    .mutation .mypy_cache .pytest_cache .ruff_cache
	@find journal projections tests docs -name __pycache__ -type d -prune -exec rm -rf {} +
