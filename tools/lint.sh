#!/bin/sh
# Static checks: ruff, pyright, the order of the rooms, the parameters' schema, Nextflow's linter.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin

$bin/pyright & types=$!  # takes the longest, on one core
trap 'kill $types 2>/dev/null || :' EXIT
$bin/ruff check .
$bin/ruff format --check .
$bin/lint-imports --no-logo
$bin/check-jsonschema --check-metaschema nextflow_schema.json

set --
for path in main.nf nextflow.config modules workflows conf; do
    if [ -e "$path" ]; then set -- "$@" "$path"; fi
done
if [ $# -gt 0 ]; then $bin/nextflow-25 lint "$@"; fi
wait $types
