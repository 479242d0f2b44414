#!/bin/sh
# `make demo`: a small cohort of phantoms, one broken on purpose, through the whole pipeline.
# `make demo EMIDEC=PATH`: the same with the real hearts of that folder, each as DICOM.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
mkdir -p demo

# The DICOM is made once: files written again would count as changed, and nothing would be resumed.

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

# Its own folder of launch and work, so that a second demo finds the first one's tasks.
(cd demo && nextflow run ../main.nf --input "$name/dicom" --outdir "$name-results" -resume)

python tools/demo_table.py "demo/$name" "demo/$name-results"
