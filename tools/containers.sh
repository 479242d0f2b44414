#!/bin/sh
# `make containers`: build both images with podman or docker, whichever is there, and write what is in them (SBOM, CycloneDX)
# to build/containers. IMAGES="core" builds one alone; BUILD_OPTIONS are options of the build, such as mounts and arguments.
set -eu
cd "$(dirname "$0")/.."
engine=${ENGINE:-$(command -v podman || command -v docker || :)}
test -n "$engine" || { echo "Neither podman nor docker is here; install one, or name it: ENGINE=PATH." >&2; exit 1; }
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' scarnet_cli/__init__.py)
commit=$(git rev-parse HEAD 2>/dev/null || echo unknown)
if [ -n "$(git status --porcelain 2>/dev/null)" ]; then commit="$commit-changed"; fi

# Root without user namespaces (a container, a bare machine) can build only within a chroot; certificates that this machine
# trusts are trusted while building, and do not get into the image.
options=${BUILD_OPTIONS:-}
case $(basename "$engine") in podman)
    if [ "$(id -u)" = 0 ]; then options="--isolation=chroot $options"; fi
    certificates=/etc/ssl/certs/ca-certificates.crt
    if [ -e $certificates ]; then options="-v $certificates:$certificates:ro $options"; fi
esac

mkdir -p build/containers
for name in ${IMAGES:-core gpu}; do
    image="localhost/scarnet-$name:$version"
    # shellcheck disable=SC2086 (several words)
    "$engine" build $options -f "containers/Dockerfile.$name" --build-arg "VERSION=$version" --build-arg "COMMIT=$commit" -t "$image" .
    "$engine" run --rm --network=none "$image" cat /opt/scarnet/sbom.cdx.json > "build/containers/scarnet-$name-$version.cdx.json"
    "$engine" images --format "{{.Repository}}:{{.Tag}}  {{.Size}}" "$image"
done
