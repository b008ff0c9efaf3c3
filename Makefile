# `make` or `make help` lists the targets. Everything is installed into $(VENV), nothing elsewhere.
# On a machine with ROS 2, colcon build is the way to install; this file is for development and for
# machines without ROS.

PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
export VIDEO ?=
export SENTENCE ?=
WEB ?=
PHOTOS ?=
DETECTOR ?=
HELD_OUT ?=
PYTEST_OPTIONS ?=
WORKERS ?= 2
BENCH ?=

.DELETE_ON_ERROR:
.PHONY: help setup demo test test-all test-fuzz lint format typecheck colcon build-check dist train-lite reproduce bench \
	lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMPS)/package $(STAMPS)/interfaces  ## .venv with all pinned packages and the messages

# Each step leaves a stamp and runs again only when what it depends on has changed.
$(STAMPS)/venv:
	@command -v $(PYTHON) > /dev/null || { echo "$(PYTHON) is missing: install it or say make PYTHON=..." >&2; exit 1; }
	@test -x $(BIN)/pip || { echo "Creating $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@mkdir -p $(STAMPS) && touch $@

# torch first and with what it depends on: on a GPU machine the same version brings its CUDA libraries.
$(STAMPS)/packages: requirements/lock.txt $(STAMPS)/venv
	@echo "Installing the pinned packages, some minutes the first time"
	@$(BIN)/pip install -qq --constraint requirements/lock.txt "$$(grep '^torch==' requirements/lock.txt)"
	@$(BIN)/pip install -qq --no-deps --requirement requirements/lock.txt
	@touch $@

$(STAMPS)/package: pyproject.toml setup.py requirements/runtime.txt requirements/slim.txt requirements/ros.txt $(STAMPS)/packages
	@$(BIN)/pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/interfaces: CMakeLists.txt package.xml tools/build_interfaces.py tools/wheel_compat.cmake \
		tools/executable.in $(wildcard msg/*.msg srv/*.srv action/*.action launch launch/* launch/*/*) $(STAMPS)/packages
	@echo "Building the messages"
	@$(BIN)/python tools/build_interfaces.py
	@touch $@

demo: setup  ## the nodes on a real video; VIDEO=file SENTENCE="a dog" WEB=1 (a page); writes out/
	$(BIN)/python -m actseg_ros.demo.run $(if $(VIDEO),--video "$$VIDEO") \
		$(if $(SENTENCE),--sentence "$$SENTENCE") $(if $(WEB),--web)

# Half of the tests for each worker to begin with; one that has done its half takes of the other's.
RUN_TESTS = $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_OPTIONS)

test: setup  ## all tests but the slow ones, in WORKERS=2 processes
	$(RUN_TESTS) -m "not slow"

test-all: setup  ## all tests
	$(RUN_TESTS)

test-fuzz: setup  ## the property tests on random examples, others every time; failures are kept
	$(BIN)/python -m pytest -m hypothesis --hypothesis-profile=fuzz $(PYTEST_OPTIONS)

lint: setup  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .

format: setup  ## ruff: mend what can be mended
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

typecheck: setup  ## mypy, strict
	$(BIN)/mypy

colcon: setup  ## colcon build against the wheels, for machines without ROS
	tools/colcon_build.sh $(VENV)

build-check: setup  ## messages, node and chain on Jazzy with Python 3.12, Kilted with 3.13 and 3.14, without torch
	VENV=$(VENV) tools/build_check.sh jazzy:3.12 kilted:3.13 kilted:3.14

dist: setup  ## dist/: sdist and wheel, checked, installed into an empty environment and used
	tools/dist.sh dist $(VENV)

train-lite: setup  ## train the default model; PHOTOS="a, b" DETECTOR= HELD_OUT= (docs/lite.md)
	for phase in permissive pasted all; do \
		$(BIN)/actseg train-lite runs/lite/$$phase.safetensors --run runs/lite/$$phase \
			--settings tools/lite_recipe/$$phase.yaml --set 'photos=[$(PHOTOS)]' \
			--set 'detector=$(DETECTOR)' --set 'held_out=$(HELD_OUT)' || exit 1; \
	done

reproduce: setup  ## the paper's experiments at the scale `long`; RUN=folder PHOTOGRAPHS=folder (docs/reproduction.md)
	ACTSEG=$(BIN)/actseg nice -n 19 tools/reproduce.sh "$(RUN)" "$(PHOTOGRAPHS)"

bench: setup  ## time the engine, its parts and the naive version; VIDEO=file, BENCH="--quick --soak 20000"
	$(BIN)/actseg bench $(if $(VIDEO),--video "$$VIDEO") $(BENCH)

lock: setup  ## write requirements/lock.txt anew from .venv
	$(BIN)/python tools/lock.py > requirements/lock.txt.new
	mv requirements/lock.txt.new requirements/lock.txt

clean:  ## remove what was built; .venv and out/ stay
	rm -rf build install log dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f $(STAMPS)/interfaces $(STAMPS)/package
