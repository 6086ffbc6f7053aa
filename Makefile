# The front door. Nothing is needed but git, make and Python 3.11 to 3.13 with venv; each target
# makes .venv from requirements.lock first where it needs it.
PYTHON ?= python3
ENV := .venv/bin
MADE := .venv/made-from-lock
BUILD := PYTHONPATH=build $(ENV)/python -m awstoe_build
RELEASE := PYTHONPATH=release:build:signing $(ENV)/python -m awstoe_release

.PHONY: help demo lint test conformance bench toolchain build build-all verify-build keys release release-rehearsal docs lock clean
.DEFAULT_GOAL := help

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(MADE) ## Run examples/hello-world.yml and show what it leaves behind
	@rm -rf out/demo && mkdir -p out/demo
	$(ENV)/awstoe run --documents examples/hello-world.yml --log-directory out/demo
	@ls -l out/demo/*/

lint: $(MADE) ## Check format, rules, types, and that the generated pages are up to date
	$(ENV)/ruff format --check && $(ENV)/ruff check && $(ENV)/mypy
	$(ENV)/mypy --platform win32 --cache-dir .mypy_cache/win32 src
	PYTHONPATH=build $(ENV)/python -m awstoe_dev.action_reference --check

test: $(MADE) ## Run all tests
	$(ENV)/python -m pytest -n auto --dist loadgroup -q

conformance: $(MADE) ## Run the black-box tests on a built file (TARGET=linux/386, TARGET=all, FILE=path)
	@PYTHONPATH=tests:build $(ENV)/python -m conformance $(or $(FILE),$(TARGET))

bench: $(MADE) ## Measure against rivals (make bench PARTS="echo startup" for some of it)
	PYTHONPATH=tests:release:build:signing $(ENV)/python -m bench $(PARTS)

toolchain: $(MADE) ## Build what single files are made with (make toolchain TARGET=linux/386)
	@$(BUILD) toolchain --target=$(TARGET)

build: $(MADE) ## Make the single file for this machine (TARGET=linux/386 for another) below dist/
	@$(BUILD) build --target=$(TARGET) --trust=$(TRUST)

build-all: $(MADE) ## Make the single files of all targets
	@$(BUILD) build --target=all --trust=$(TRUST)

verify-build: $(MADE) ## Make a file again and compare (make verify-build FILE=dist/...)
	@$(BUILD) verify --target=$(TARGET) --file=$(FILE) --trust=$(TRUST)

keys: $(MADE) ## Make throw-away keys for a rehearsal (make keys DIR=out/keys; docs/trust.md)
	PYTHONPATH=signing $(ENV)/python -m awstoe_signing ceremony --rehearsal --directory $(or $(DIR),out/keys)

release: $(MADE) ## Make a release, or go on with one (make release ARGS="--from publish")
	@$(RELEASE) run $(ARGS)

release-rehearsal: $(MADE) ## A whole release on this machine with throw-away keys (TARGETS=linux/amd64: quick)
	@$(RELEASE) rehearse --targets="$(TARGETS)" $(ARGS)

docs: $(MADE) ## Write docs/actions.md again from the action modules
	PYTHONPATH=build $(ENV)/python -m awstoe_dev.action_reference

lock: $(MADE) ## Resolve requirements.lock again (make lock ARGS=--upgrade for newest versions)
	PYTHONPATH=build $(ENV)/python -m awstoe_dev.lock $(ARGS)

clean: ## Remove everything that make has made
	rm -rf out dist .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src build release signing tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(MADE): requirements.lock pyproject.toml build/awstoe_dev/environment.py
	@command -v $(PYTHON) > /dev/null || { echo "make: $(PYTHON) is missing: install python3 and python3-venv, 3.11 to 3.13" >&2; exit 1; }
	@$(PYTHON) build/awstoe_dev/environment.py
