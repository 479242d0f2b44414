#!/bin/sh
# Unit and property tests first, for they fail in seconds; then the pipeline for real. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
# Hundreds of processes import the same libraries: compiled once, torch loads in half the time.
unset PYTHONDONTWRITEBYTECODE
# Two at a time, each file by one of them: a run of Nextflow waits for half of its time. With `-n 0` --pdb works.
exec .venv/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=15 "$@"
