"""Fetch or lock the jars of a Nextflow version; run with the Python of .venv, which has jgo.

    .venv/bin/python tools/jars.py fetch requirements/nextflow-24.10.jars FOLDER
    .venv/bin/python tools/jars.py lock requirements/nextflow-24.10.in requirements/nextflow-24.10.jars

jgo uses Maven Central and the repositories in its own configuration, in which `central` names a mirror.
"""

import hashlib
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

import jgo
from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext

# Seconds between the attempts to fetch a jar.
PAUSES: Final = (1, 3, 8)
ADVICE: Final = "check the connection, or name your mirror as `central` under [repositories] in ~/.config/jgo.conf"


def locked_coordinates(lock: str) -> list[str]:
    """Return the group:artifact:version of each line `digest  group:artifact:version` of a lock file."""
    return [line.split()[1] for line in lock.splitlines() if line.strip()]


def resolve(wanted: str) -> list[str]:
    """Return all coordinates that a .in file requests, sorted; a line `!group:artifact` excludes one."""
    lines = [line.strip() for line in wanted.splitlines() if line.strip() and not line.startswith("#")]
    left_out = {line[1:] for line in lines if line.startswith("!")}
    artifacts = jgo.resolve("+".join(line for line in lines if not line.startswith("!")))
    names = {f"{each.groupId}:{each.artifactId}": each.version for each in artifacts}
    return sorted(f"{name}:{version}" for name, version in names.items() if name not in left_out)


def fetch(coordinates: Sequence[str], folder: Path) -> list[Path]:
    """Fetch these jars below `folder`, eight at a time, and return their paths in the same order."""
    repositories = {"central": MAVEN_CENTRAL_URL} | GlobalSettings.load().repositories
    context = MavenContext(repo_cache=folder, remote_repos=repositories, timeout=60)

    def fetch_one(coordinate: str) -> Path:
        group, artifact, version = coordinate.split(":")
        artifact_of_version = context.project(group, artifact).at_version(version).artifact()
        for pause in PAUSES:
            # A name that cannot be resolved for a second should not end the set-up.
            with suppress(OSError, RuntimeError):
                return Path(artifact_of_version.resolve())
            time.sleep(pause)
        return Path(artifact_of_version.resolve())

    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(fetch_one, coordinates))


def main() -> None:
    """Run the command that the first argument names."""
    verb, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    try:
        if verb == "fetch":
            fetch(locked_coordinates(source.read_text()), target)
            return
        coordinates = resolve(source.read_text())
        with tempfile.TemporaryDirectory() as folder:
            paths = fetch(coordinates, Path(folder))
            digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
        target.write_text("".join(f"{d}  {c}\n" for d, c in zip(digests, coordinates, strict=True)))
    except (OSError, RuntimeError) as error:  # requests raises OSErrors, jgo RuntimeErrors
        sys.exit(f"{error}\n{ADVICE}")


if __name__ == "__main__":
    main()
