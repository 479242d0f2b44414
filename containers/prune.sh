#!/bin/sh
# Take out of an image's packages what no stage uses, and compile the rest: the root file system is read-only later.
#   prune.sh SITE_PACKAGES PYTHON
set -eu
site=$1 python=$2
# Tests of the libraries, their C headers and sources, and example pictures.
find "$site" -type d \( -name tests -o -name include \) -prune -exec rm -rf {} +
find "$site" -type f \( -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' -o -name '*.h' -o -name '*.hpp' -o -name '*.c' \
    -o -name '*.cc' -o -name '*.a' \) -delete
find "$site/skimage/data" -type f ! -name '*.py' -delete
# Arrow's servers, and names of its libraries that only compilers ask for.
rm -rf "$site"/pyarrow/libarrow_flight* "$site"/pyarrow/libarrow_python_flight* "$site"/pyarrow/_flight* "$site"/pyarrow/src \
    "$site"/pyarrow/libarrow_python*.so "$site"/pyarrow/libarrow_python*.so.*.*.*
# Symbols that only debuggers read; libraries that wheels brought along (*.libs) do not survive it.
find "$site" -name '*.so*' -type f ! -path '*.libs/*' -exec strip --strip-unneeded {} +
# By content, not by time: the same code gives the same bytes.
"$python" -m compileall -q --invalidation-mode unchecked-hash "$site" >/dev/null || true
