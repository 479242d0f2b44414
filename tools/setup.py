"""Set up .venv from Python 3.11+ alone: the locked packages, torch, Java, Nextflow and the command `scarnet`.

    python3 tools/setup.py [--torch auto|no] [--checks]

A second run finds the stamp and does nothing; after an interruption, run it again.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (in syntax that any older Python 3 can parse)
    sys.exit("ScarNet needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Say make PYTHON=python3.12.")

import argparse
import fcntl
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import nextflow
import torch_choice
from debian import have_programs
from nextflow import Environment, SetupError
from pip_settings import UvSettings, uv_settings

ROOT: Final = Path(__file__).resolve().parent.parent
RUNNER: Final = "24.10"
CHECKER: Final = "25.04"
STAMP: Final = "setup.json"
UNFINISHED: Final = "setup-unfinished"
COMMAND: Final = """\
#!/bin/sh
# Written by tools/setup.py. Another Python's settings (a cluster's module) must not reach this one.
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP
exec "$(dirname "$(readlink -f "$0")")/python" -P -s -m scarnet_cli "$@"
"""
OWN_FILES: Final = ("setup.py", "debian.py", "jars.py", "nextflow.py", "pip_settings.py", "torch_choice.py")


def main() -> None:
    """Set up everything that is not set up yet."""
    parser = argparse.ArgumentParser(description="Set up .venv; a second run does nothing.")
    parser.add_argument("--torch", choices=["auto", "no"], default="auto", help="no: the stages that need none.")
    parser.add_argument("--checks", action="store_true", help="Also what `make test` and `make lint` need.")
    arguments = parser.parse_args()
    where = Environment(ROOT, ROOT / ".venv")
    if is_done(where, arguments.torch, checks=arguments.checks):
        return
    with alone(where):
        if not is_done(where, arguments.torch, checks=arguments.checks):
            run(where, arguments.torch, checks=arguments.checks)


def parts(*, checks: bool) -> list[str]:
    """Return the parts that the stamp tracks separately: running, and the checks if they are wanted."""
    return ["run", *(["checks"] if checks else [])]


def is_done(where: Environment, torch: str, *, checks: bool) -> bool:
    """Return whether the last set-up did all this from the same inputs and its results are still there."""
    wanted, done = digest(where, torch), read_stamp(where)
    return all(done.get(part) == wanted for part in parts(checks=checks)) and is_whole(where, checks=checks)


@contextmanager
def alone(where: Environment) -> Iterator[None]:
    """Hold the lock of this folder's set-up, after waiting for any other set-up that runs."""
    with (where.root / "pyproject.toml").open("a") as file:  # any file outside .venv would do; nothing is written to it
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write("set-up: another set-up is running in this folder; waiting for it\n")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(where: Environment, torch: str, *, checks: bool) -> None:
    """Set up and write the stamp; report errors in plain language."""
    wanted, done = digest(where, torch), read_stamp(where)
    try:
        set_up(where, torch=torch, checks=checks)
    except SetupError as error:
        sys.exit(f"Set-up stopped: {error}\nOnce that is put right, run the same command again.")
    except subprocess.CalledProcessError as error:
        command = shlex.join(map(str, error.cmd))
        sys.exit(f"Set-up stopped, for the reason above, in: {command}\nOnce that is put right, run it again.")
    still_true = {part: stamp for part, stamp in done.items() if stamp == wanted}
    write_stamp(where, still_true | dict.fromkeys(parts(checks=checks), wanted))


def digest(where: Environment, torch: str) -> str:
    """Return a digest of all inputs of set-up."""
    inputs = [*sorted((where.root / "requirements").glob("*")), *(where.root / "tools" / name for name in OWN_FILES)]
    inputs += [where.root / "pyproject.toml", where.root / "scarnet_cli/__init__.py"]
    sums = [f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in inputs]
    # An editable install holds an absolute path, and .venv/bin/nextflow may be a link to the user's own Nextflow.
    sums += [str(where.root), torch, str(nextflow.nextflow_on_path(where.venv))]
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()


def read_stamp(where: Environment) -> dict[str, str]:
    """Return part -> digest of the last set-up; empty without one."""
    try:
        return dict(json.loads((where.venv / STAMP).read_text()))
    except (OSError, ValueError):
        return {}


def write_stamp(where: Environment, stamp: dict[str, str]) -> None:
    """Write the stamp atomically."""
    temporary = where.venv / f"{STAMP}.new"
    temporary.write_text(json.dumps(stamp, indent=2) + "\n")
    temporary.replace(where.venv / STAMP)


def is_whole(where: Environment, *, checks: bool) -> bool:
    """Return whether the programs that users call exist and no install was interrupted."""
    programs = ["python", "scarnet", "nextflow", *(["nextflow-25", "ruff"] if checks else [])]
    needed = [where.program(name) for name in programs]
    needed += [] if where.program("nextflow").is_symlink() else [where.venv / "nextflow" / RUNNER]
    needed += [where.venv / "nextflow" / CHECKER] if checks else []
    return all(path.exists() for path in needed) and not (where.venv / UNFINISHED).exists()


def set_up(where: Environment, *, torch: str, checks: bool) -> None:
    """Install everything in the locked requirements into the virtual environment."""
    with step("virtual environment and uv"):
        make_venv(where)
        uv = uv_settings(where.program("python"))
    own = nextflow.nextflow_on_path(where.venv)
    use_own = own is not None and nextflow.new_enough(own)
    lists = ["core", *(["dev", "medsam"] if checks else []), *(["nextflow"] if checks or not use_own else [])]
    with step(f"packages: {', '.join(lists)}"):
        install(where, uv, [f"requirements/{name}.txt" for name in lists])
        # The package itself: editable, with the installed setuptools, so without network.
        run_uv(where, uv, ["--no-deps", "--no-build-isolation", "--editable", "."])
        write_command(where)
    versions = [*([] if use_own else [RUNNER]), *([CHECKER] if checks else [])]
    with ThreadPoolExecutor(max_workers=2) as background:  # fetches jars and Debian programs in parallel with torch
        programs = [background.submit(have_programs)] if checks else []
        jars = [background.submit(nextflow.install_jars, where, version, uv.environment) for version in versions]
        if torch == "auto":
            install_torch(where, uv)
        write_launchers(where, own if use_own else None, jars, checks=checks)
        for future in programs:
            future.result()


@contextmanager
def step(words: str) -> Iterator[None]:
    """Print a step on stderr, and afterwards how long it took."""
    started = time.monotonic()
    sys.stderr.write(f"set-up: {words} ...\n")
    yield
    sys.stderr.write(f"set-up: {words}: {time.monotonic() - started:.0f} s\n")


def make_venv(where: Environment) -> None:
    """Create .venv with uv in it; replace one whose install was interrupted or whose Python no longer exists."""
    python = where.program("python")
    question = [str(python), "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"]
    if (where.venv / UNFINISHED).exists() or not _succeeds(question):
        shutil.rmtree(where.venv, ignore_errors=True)
        made = subprocess.run(
            [sys.executable, "-m", "venv", str(where.venv)], capture_output=True, text=True, check=False
        )
        if made.returncode != 0:
            message = (
                f"python -m venv failed; on Debian and Ubuntu: apt install python3-venv.\n{made.stdout}{made.stderr}"
            )
            raise SetupError(message)
    remove_leftovers(where)
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement"]
    subprocess.run([python, "-m", "pip", "install", *options, "requirements/bootstrap.txt"], check=True, cwd=where.root)


def remove_leftovers(where: Environment) -> None:
    """Remove the backup folders `~name` of a killed pip, about which every later pip warns."""
    for folder in where.site_packages.glob("~*"):
        shutil.rmtree(folder, ignore_errors=True)


def _succeeds(command: list[str]) -> bool:
    """Return whether a command starts and succeeds."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def install(where: Environment, uv: UvSettings, files: list[str]) -> None:
    """Install these locked lists, which are complete, and check every file against its digest."""
    run_uv(where, uv, ["--no-deps", "--require-hashes", *(word for file in files for word in ("--requirement", file))])


def write_command(where: Environment) -> None:
    """Write .venv/bin/scarnet in place of pip's script, which settings of another Python can break."""
    unfinished = where.program("scarnet.new")
    unfinished.write_text(COMMAND)
    unfinished.chmod(0o755)
    unfinished.replace(where.program("scarnet"))


def run_uv(where: Environment, uv: UvSettings, arguments: list[str]) -> None:
    """Run `uv pip install`; while it runs, .venv is marked as unfinished.

    uv fetches everything before it changes anything, so only a kill, never a failure, leaves .venv inconsistent.
    """
    mark = where.venv / UNFINISHED
    mark.touch()
    command = [str(where.program("uv")), "pip", "install", "--python", str(where.program("python")), *uv.options]
    try:
        subprocess.run([*command, "--quiet", *arguments], check=True, cwd=where.root, env=uv.environment)
    except subprocess.CalledProcessError as error:
        if error.returncode > 0:
            mark.unlink()
        raise
    mark.unlink()


def install_torch(where: Environment, uv: UvSettings) -> None:
    """Provide torch: an existing one, a CPU build from the user's own sources, or the locked one."""
    lock = (where.root / "requirements/torch.txt").read_text()
    locked = torch_choice.locked_version(lock)
    here = torch_choice.find_torch([str(where.site_packages)])
    found = torch_choice.link_base_torch(where.site_packages) if here is None else here
    version = found.version if found else torch_choice.offered_cpu_build(where.program("python"), locked)
    # The locked release in .venv is installed again, to complete its dependencies.
    if version is None or (here is not None and version == locked):
        cost = "" if here else " (PyPI's build for Linux is the CUDA one: 2.6 GB to fetch)"
        with step(f"torch {locked}{cost}"):
            install(where, uv, ["requirements/torch.txt"])
        return
    place = "there already" if found else "from your own package source"
    with step(f"torch {version}, {place}"), tempfile.TemporaryDirectory() as folder:
        others = Path(folder, "others.txt")
        others.write_text(torch_choice.without_torch(lock))
        install(where, uv, [str(others)])
        if found is None:
            # The files in a user's own source are unknown here, so this one has no locked digest.
            run_uv(where, uv, ["--no-deps", f"torch=={version}"])
        install_torchvision(where, uv, version)


def install_torchvision(where: Environment, uv: UvSettings, torch: str) -> None:
    """Provide a torchvision for a torch other than the locked one: an existing one, or one from the user's sources."""
    question = [str(where.program("python")), "-W", "ignore", "-c", "import torchvision"]
    offered = None if _succeeds(question) else torch_choice.offered_torchvision(where.program("python"), torch)
    if offered is not None:
        run_uv(where, uv, ["--no-deps", f"torchvision=={offered}"])
    if not _succeeds(question):
        words = "was found: ScarNet with ViT-B and MedSAM cannot run, all else can"
        sys.stderr.write(f"set-up: no torchvision for torch {torch} {words}\n")


def write_launchers(where: Environment, own: Path | None, jars: list["Future[None]"], *, checks: bool) -> None:
    """Wait for the jars, then write `nextflow` (and for the checks `nextflow-25`) into .venv/bin."""
    with step("Java and Nextflow"):
        for future in jars:
            future.result()
        if own is None:
            nextflow.write_launcher(where, "nextflow", RUNNER)
        else:
            nextflow.link_launcher(where, "nextflow", own)
        if checks:
            nextflow.write_launcher(where, "nextflow-25", CHECKER)
            nextflow.archive_java_classes(where)


if __name__ == "__main__":
    os.umask(0o022)
    main()
