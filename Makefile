# All commands of the project. They need git, make and Python 3.11 to 3.13 with venv; each target makes
# .venv from requirements.lock first if it needs it.
PYTHON ?= python3
ENV := .venv/bin
MADE := .venv/made-from-lock
T ?= tests
# worksteal, because loadgroup hangs forever after the limit for a test has ended a worker.
PYTEST := timeout --foreground 60m $(ENV)/python -m pytest -n auto --dist worksteal -q
# The programs in tests/ that are not tests: the conformance suite's command, the benchmark, and the
# power cuts.
FROM_TESTS := PYTHONPATH=tests $(ENV)/python -m

.PHONY: help demo format lint check test golden conformance fuzz bench powercut toolchain build build-all verify-build keys release release-rehearsal docs lock clean
.DEFAULT_GOAL := help

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(MADE) ## Run examples/hello-world.yml and list the files it leaves behind
	@rm -rf out/demo && mkdir -p out/demo
	$(ENV)/awstoe run --documents examples/hello-world.yml --log-directory out/demo
	@ls -l out/demo/*/

lint: $(MADE) ## Check formatting, lint rules, types, and that generated pages are up to date
	$(ENV)/ruff format --check && $(ENV)/ruff check && $(ENV)/mypy
	$(ENV)/mypy --platform win32 --cache-dir .mypy_cache/win32 src
	$(ENV)/python -m awstoe_dev.action_reference --check && $(ENV)/python -m awstoe_dev.architecture_picture --check

format: $(MADE) ## Format the code and sort its imports
	$(ENV)/ruff check --quiet --select I --fix && $(ENV)/ruff format

check: lint ## Lint and run the fast tests: under a minute, for every change
	$(PYTEST) -m "not slow" tests/test_architecture.py tests/unit tests/documents tests/actions

test: $(MADE) ## Run all tests (T=tests/unit/engine for some)
	$(PYTEST) $(T)

golden: $(MADE) ## Write what the tests produce into the golden files (T=path); review the diff
	$(PYTEST) --update-golden $(T)

conformance: $(MADE) ## Run the black-box tests on a built file (TARGET=linux/386, TARGET=all or FILE=path)
	@$(FROM_TESTS) conformance $(or $(FILE),$(TARGET))

fuzz: $(MADE) ## Look for inputs that break a rule (MINUTES=5, CASES=1000, SEED=1, FUZZERS=openpgp)
	@$(FROM_TESTS) fuzz $(if $(MINUTES),--minutes $(MINUTES)) $(if $(CASES),--cases $(CASES)) $(if $(SEED),--seed $(SEED)) $(FUZZERS)

bench: $(MADE) ## Measure, compared with other programs (PARTS="echo startup" for some)
	$(FROM_TESTS) bench $(PARTS)

powercut: $(MADE) ## Cut the power of a virtual machine during runs (MARKS="long-9" for some)
	$(FROM_TESTS) powercut $(MARKS)

toolchain: $(MADE) ## Build the toolchain of a target (TARGET=linux/386)
	@$(ENV)/awstoe-build toolchain --target=$(TARGET)

build: $(MADE) ## Build the single-file executable in dist/ (TARGET=linux/386, TRUST=DIR)
	@$(ENV)/awstoe-build build --target=$(TARGET) --trust=$(TRUST)

build-all: $(MADE) ## Build the single-file executables of all targets
	@$(ENV)/awstoe-build build --target=all --trust=$(TRUST)

verify-build: $(MADE) ## Build a file again and compare (FILE=dist/...)
	@$(ENV)/awstoe-build verify --target=$(TARGET) --file=$(FILE) --trust=$(TRUST)

keys: $(MADE) ## Make throw-away keys for a rehearsal (DIR=out/keys; docs/trust.md)
	$(ENV)/awstoe-signing ceremony --rehearsal --directory $(or $(DIR),out/keys)

release: $(MADE) ## Make a release, or continue one (ARGS="--from publish")
	@$(ENV)/awstoe-release run $(ARGS)

release-rehearsal: $(MADE) ## Rehearse a release on this machine (TARGETS=linux/amd64 is quick)
	@$(ENV)/awstoe-release rehearse --targets="$(TARGETS)" $(ARGS)

docs: $(MADE) ## Write the generated pages: actions, architecture
	$(ENV)/python -m awstoe_dev.action_reference
	$(ENV)/python -m awstoe_dev.architecture_picture

lock: $(MADE) ## Resolve requirements.lock again (ARGS=--upgrade for the newest versions)
	$(ENV)/python -m awstoe_dev.lock $(ARGS)

clean: ## Remove everything that make made
	rm -rf out dist .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src build release signing tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(MADE): requirements.lock pyproject.toml build/pyproject.toml build/awstoe_dev/environment.py
	@command -v $(PYTHON) > /dev/null || { echo "make: $(PYTHON) is missing: install python3 and python3-venv, 3.11 to 3.13" >&2; exit 1; }
	@$(PYTHON) build/awstoe_dev/environment.py
