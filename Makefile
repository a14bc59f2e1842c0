# A fresh machine needs only CPython 3.11 or newer and make, and for the tests Debian and root.
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
BIN := .venv/bin
INSTALLED := .venv/.installed
SERVERS := .venv/.servers
NODE := .venv/node
DEBIAN := iproute2 nftables prometheus prometheus-redis-exporter redis-server postgresql nginx chromium wrk hey strace victoria-metrics zsh fish

.PHONY: demo demo-full test tools explore faults check lint types docs pictures install lock dist sbom clean
.DEFAULT_GOAL := check

demo: $(INSTALLED)  ## Load and grade the reference API that comes with slocheck
	$(BIN)/slocheck demo

demo-full: $(INSTALLED) $(SERVERS)  ## The ladder and a run on private PostgreSQL, Redis, nginx and Prometheus
	$(BIN)/slocheck demo --full --ladder

test: tools  ## Run all tests, the end-to-end ones against real servers
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

tools: $(INSTALLED) $(SERVERS) $(NODE)/.installed  ## Install what the tests need

# the tests start a few thousand processes: none of them should compile the package again
test explore faults: export PYTHONDONTWRITEBYTECODE :=

explore: $(INSTALLED)  ## Run the property tests with many more examples, other than those of `make test`
	HYPOTHESIS_PROFILE=explore $(BIN)/python -m pytest -n 2 tests --ignore tests/e2e -m hypothesis

faults: $(INSTALLED) $(SERVERS)  ## Run the fault catalogue with real processes, each fault with a control
	$(BIN)/python -m tests.faults

check: lint types test  ## Lint, types, tests

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

docs: $(INSTALLED)  ## Write docs/cli.md, the tables of docs/presets.md and docs/json.md, docs/result.schema.json
	$(BIN)/python -m tests.cli.help_page
	$(BIN)/python -m tests.spec.preset_table
	$(BIN)/python -m tests.reporters.result_page

pictures: $(INSTALLED) $(SERVERS)  ## Make the pictures of the README from a one-minute run
	$(BIN)/python -m tests.e2e.docs.pictures

install: $(INSTALLED)  ## Make the virtual environment

lock: $(INSTALLED)  ## Write a new requirements.lock from constraints.txt; needs uv
	uv pip compile pyproject.toml --extra dev --extra reference-api --constraint constraints.txt --generate-hashes --no-annotate \
	  --no-header --python-version 3.11 --python-platform linux --quiet --output-file requirements.lock

dist: $(INSTALLED)  ## Build wheel and sdist; the same commit gives the same bytes
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m hatchling build -t sdist -t wheel

sbom: $(INSTALLED)  ## Print the bill of materials (CycloneDX) of what is installed with slocheck
	@$(BIN)/python -m tests.supply_chain.sbom

$(INSTALLED): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "slocheck needs CPython 3.11 or newer; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# The tests need real servers. Debian may start a service on install; no test depends on that.
$(SERVERS): Makefile
	@missing=""; for package in $(DEBIAN); do \
	  dpkg-query --show --showformat='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing for the tests:$$missing" && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 \
	      --no-install-recommends $$missing >/dev/null; \
	  else \
	    echo "the tests need these Debian packages, install them as root:$$missing" >&2; exit 1; \
	  fi; \
	fi
	@mkdir -p $(@D) && touch $@

# Third-party metric libraries to test against, checked by hash; none is installed outside this folder.
$(NODE)/.installed: tests/e2e/libraries/package.json tests/e2e/libraries/package-lock.json | $(SERVERS)
	@command -v npm >/dev/null || \
	  { if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	      echo "installing for the tests: nodejs npm" && \
	      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 \
	        --no-install-recommends nodejs npm >/dev/null; \
	    else \
	      echo "the tests need nodejs and npm, install them as root" >&2; exit 1; \
	    fi; }
	mkdir -p $(NODE) && cp $^ $(NODE)
	cd $(NODE) && npm ci --ignore-scripts --no-audit --no-fund --silent
	touch $@

clean:  ## Remove everything that make has made; archived runs under reports/ stay
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
