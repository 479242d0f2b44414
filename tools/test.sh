#!/bin/sh
# Unit and property tests first, for they fail in seconds; then the pipeline for real. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
# Hundreds of processes import the same libraries: compiled once, torch loads in half the time.
unset PYTHONDONTWRITEBYTECODE
exec .venv/bin/pytest --durations=15 "$@"
