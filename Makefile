# make demo    set up, then run the pipeline on a small made cohort; EMIDEC=PATH runs it on real hearts
# make test    set up, then lint and all tests
# make setup   .venv only; TORCH=no leaves torch out
# make lint    the checks that read the code, without the tests
# make faults  inject the faults of docs/reliability.md and write its table; root on Linux, about an hour; what is done is kept
# make containers  build both images with podman or docker, each with its list of contents (SBOM) in build/containers
# make bundle  one file in build/ that sets up a machine without network: there, sh FILE FOLDER; TORCH=no leaves torch out
# make lock    remake requirements/*.txt; UPGRADE=yes takes the newest releases
# make clean   remove what runs and tests leave behind; .venv stays

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
TORCH ?= auto
EMIDEC ?=
SETUP = $(or $(PYTHON),python3) tools/setup.py --torch $(TORCH)

.PHONY: demo test setup lint faults containers bundle lock clean

demo: setup
	@EMIDEC="$(EMIDEC)" tools/demo.sh

test:
	@$(SETUP) --checks
	@tools/lint.sh
	@tools/test.sh

setup:
	@$(SETUP)

lint:
	@$(SETUP) --checks
	@tools/lint.sh

faults: setup
	@$(SETUP) --checks
	@PYTHONPATH=tests:tools .venv/bin/python -m faults

containers:
	@tools/containers.sh

bundle: setup
	@.venv/bin/python tools/bundle.py --torch $(TORCH)

lock: setup
	@.venv/bin/python tools/lock.py $(if $(filter yes,$(UPGRADE)),--upgrade)

clean:
	rm -rf work .nextflow .nextflow.log* demo results build .pytest_cache .ruff_cache .hypothesis .coverage
