#!/bin/sh
# Unit and property tests first, for they fail in seconds; then the pipeline for real. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
exec .venv/bin/pytest --durations=15 "$@"
