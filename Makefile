# The one interface for those who build Oakroot; `make help` lists it.
# Work is redone only when its sources changed: files below .venv stand for what is installed.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

PYTHON ?= python3
LISTEN ?= 127.0.0.1:5353
PYTEST ?=
# More than processors: many tests wait for servers. A file stays in one process, whose peers its tests share.
BESIDE ?= --numprocesses 3 --dist loadfile

BIN := .venv/bin
CARGO := cargo
MANIFEST := --manifest-path engine/Cargo.toml
ENGINE_SOURCES := $(shell find engine/src -name '*.rs') engine/Cargo.toml engine/Cargo.lock pyproject.toml

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: venv
venv: $(BIN)/maturin ## make .venv with the build tool

.PHONY: build
build: .venv/engine ## compile the engine and install oakroot into .venv

.PHONY: run
run: build ## serve the built-in demo repository (LISTEN=127.0.0.1:5353)
	@exec $(BIN)/oakroot primary --listen $(LISTEN)

.PHONY: test
test: build .venv/dev .venv/certbot/installed peers ## install what tests need and run them all (PYTEST='-k name' narrows)
	$(CARGO) test --quiet $(MANIFEST) --no-default-features
	$(BIN)/python -m pytest $(BESIDE) $(PYTEST)

.PHONY: peers
peers: ## install the Debian packages of the servers the tests compare with (needs root)
	@scripts/install-peers.sh

.PHONY: check
check: build .venv/dev ## everything that judges the code without running it
	@BIN=$(BIN) scripts/check.sh

.PHONY: format
format: .venv/dev ## lay out Python and Rust
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .
	$(CARGO) fmt $(MANIFEST)

.PHONY: docs
docs: build ## write what is made of the sources: docs/cli.md, manual pages, findings, metrics, pictures
	$(BIN)/python -m scripts.command_reference > docs/cli.md.new
	mv docs/cli.md.new docs/cli.md
	$(BIN)/oakroot config schema > docs/oakroot.schema.json.new
	mv docs/oakroot.schema.json.new docs/oakroot.schema.json
	$(BIN)/python -m scripts.man_pages
	$(BIN)/python -m scripts.findings_reference > docs/reference/findings.md.new
	mv docs/reference/findings.md.new docs/reference/findings.md
	$(BIN)/python -m scripts.metrics_reference > docs/operate/metrics.md.new
	mv docs/operate/metrics.md.new docs/operate/metrics.md
	$(BIN)/python -m scripts.pictures
	for page in imports clients; do $(BIN)/python -m scripts.proofs $$page > docs/$$page.md; done

.PHONY: site
site: build ## build the documentation as web pages in build/site
	$(BIN)/python -m sphinx -W --keep-going -q -E -b html docs build/site

.PHONY: deb
deb: build ## build the Debian package build/oakroot_VERSION_ARCH.deb
	@scripts/build_deb.sh

.PHONY: test-deb
test-deb: deb ## judge, install, upgrade and purge the Debian package in a fresh Debian (as root; mmdebstrap, lintian)
	@scripts/test_deb.sh "$$(ls -t build/oakroot_*.deb | head -1)"

.PHONY: test-boot
test-boot: deb .venv/dev ## boot a Debian, and start, upgrade, kill its services (as root; mmdebstrap, systemd-container)
	@scripts/test_boot.sh "$$(ls -t build/oakroot_*.deb | head -1)"

.PHONY: wheels
wheels: build ## build wheels for this machine, and for aarch64 where Rust for it is installed
	@scripts/build_wheels.sh

.PHONY: test-wheels
test-wheels: wheels .venv/dev ## test the wheel for aarch64 in an emulator (mmdebstrap, qemu-user-static)
	@scripts/test_wheels.sh

.PHONY: test-reproducible
test-reproducible: build ## build the wheel twice, as differently as a machine can, and compare (needs root)
	@scripts/test_reproducible.sh

.PHONY: bench
bench: build ## measure Oakroot beside its peers; `python -m bench report` then fills docs/performance.md
	$(BIN)/python -m bench all

.PHONY: clean
clean: ## remove everything that was built
	rm -rf .venv engine/target bench/*/target dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	rm -f src/oakroot/_engine*.so
	find src tests scripts bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@scripts/prepare-machine.sh $(PYTHON)
	$(PYTHON) -m venv .venv

# maturin's version is said once, in pyproject.toml.
$(BIN)/maturin: $(BIN)/python scripts/requirements.py
	$(BIN)/python scripts/requirements.py build | $(BIN)/python -m pip install --quiet --requirement /dev/stdin
	@touch $@

.venv/dev: $(BIN)/maturin pyproject.toml
	$(BIN)/python scripts/requirements.py dev docs | $(BIN)/python -m pip install --quiet --requirement /dev/stdin
	@touch $@

# A client of ours in the tests, with dependencies of its own.
.venv/certbot/installed: $(BIN)/python pyproject.toml
	$(BIN)/python -m venv .venv/certbot
	$(BIN)/python scripts/requirements.py certbot | .venv/certbot/bin/python -m pip install --quiet --requirement /dev/stdin
	@touch $@

.venv/engine: $(BIN)/maturin $(ENGINE_SOURCES)
	VIRTUAL_ENV=$(CURDIR)/.venv PIP_QUIET=1 $(BIN)/maturin develop --release --quiet
	@touch $@
