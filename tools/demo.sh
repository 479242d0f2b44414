#!/bin/sh
# `make demo`: run the whole pipeline on a small cohort of phantoms, one of them deliberately broken.
# `make demo EMIDEC=PATH`: the same with the real hearts in that folder, converted to DICOM.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
mkdir -p demo

# The DICOM files are made once: rewritten files would count as changed, and -resume would find no finished tasks.

if [ -n "${EMIDEC:-}" ]; then
    name=emidec
    test -d "$EMIDEC" || { echo "EMIDEC=$EMIDEC is no folder; docs/emidec.md says where to get the data." >&2; exit 1; }
    if [ "$(cat demo/$name.source 2>/dev/null)" != "$EMIDEC" ]; then
        rm -rf "demo/$name"
        scarnet dicomize "$EMIDEC" --out "demo/$name"
        echo "$EMIDEC" > "demo/$name.source"
    fi
else
    name=cohort
    test -e "demo/$name/truth.csv" || scarnet phantom --studies 8 --broken 1 --out "demo/$name"
fi

# Launched from its own folder, so that a second demo finds the first one's tasks.
(cd demo && nextflow run ../main.nf --input "$name/dicom" --outdir "$name-results" -resume)

python tools/demo_table.py "demo/$name" "demo/$name-results"
