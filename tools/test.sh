#!/bin/sh
# Run unit and property tests first, because they fail in seconds, then the pipeline. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
# Hundreds of processes import the same libraries; with compiled bytecode, torch loads in half the time.
unset PYTHONDONTWRITEBYTECODE
# Two workers, each file on one of them, because Nextflow waits for half of its run time. --pdb needs `-n 0`.
exec .venv/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=15 -rs "$@"
