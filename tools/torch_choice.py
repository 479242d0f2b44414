"""Choice of torch: an existing one, a CPU build from the user's own sources, or the locked one.

PyPI's torch for Linux is the CUDA build, a download of gigabytes, which is avoided if a smaller one is available. A
torchvision works only with the torch that it was built for, so the two are chosen together.
"""

import importlib.metadata
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OLDEST: Final = (2, 4)
# The two packages that are chosen here, and those that only their CUDA build needs.
CHOSEN: Final = re.compile(r"torch|torchvision|triton|(nvidia|cuda)-.*")


@dataclass(frozen=True, slots=True)
class FoundTorch:
    """An installed torch: its version and its site-packages folder."""

    version: str
    folder: Path


def in_range(version: str) -> bool:
    """Return whether a torch version is new enough for the optional extra `torch` of pyproject.toml."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= OLDEST


def find_torch(folders: list[str]) -> FoundTorch | None:
    """Return the first torch in range in these site-packages folders, or None."""
    for distribution in importlib.metadata.distributions(name="torch", path=folders):
        if in_range(distribution.version):
            return FoundTorch(distribution.version, Path(str(distribution.locate_file(""))).resolve())
    return None


def link_base_torch(site_packages: Path) -> FoundTorch | None:
    """Make the torch of the Python that runs set-up importable in the virtual environment, after its own packages.

    Returns:
        That torch, or None if that Python has none in range or has another minor version.
    """
    same_python = site_packages.parent.name == f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = find_torch(sys.path[1:]) if same_python else None
    if found is None or found.folder == site_packages.resolve():
        return None
    (site_packages / "zz_torch_of_base_python.pth").write_text(f"{found.folder}\n")
    return found


def offered_cpu_build(python: Path, locked: str) -> str | None:
    """Return the version of a `+cpu` torch in the sources of pip, the locked or else the newest one, or None."""
    builds = [version for version in _offered(python, "torch") if version.endswith("+cpu") and in_range(version)]
    return f"{locked}+cpu" if f"{locked}+cpu" in builds else next(iter(builds), None)


def offered_torchvision(python: Path, torch: str) -> str | None:
    """Return the version of the torchvision for this `+cpu` torch in the sources of the user's pip, or None."""
    numbers = re.fullmatch(r"2\.(\d+)\.(\d+)\+cpu", torch)
    # They are released in pairs: torch 2.4.1 with torchvision 0.19.1, 2.12.1 with 0.27.1.
    wanted = f"0.{int(numbers[1]) + 15}.{numbers[2]}+cpu" if numbers else None
    return wanted if wanted in _offered(python, "torchvision") else None


def _offered(python: Path, package: str) -> list[str]:
    """Return the versions of a package in the sources of this Python's pip, the newest first."""
    command = [python, "-m", "pip", "index", "versions", package]
    answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    listed = re.search(r"^Available versions: (.*)$", answer, re.MULTILINE)
    return listed[1].split(", ") if listed else []


def locked_version(lock: str) -> str:
    """Return the version of torch in the text of requirements/torch.txt."""
    found = re.search(r"^torch==(\S+)", lock, re.MULTILINE)
    if found is None:
        message = "requirements/torch.txt names no torch; run `make lock`."
        raise ValueError(message)
    return found[1]


def without_torch(lock: str) -> str:
    """Return requirements/torch.txt, hashes included, without torch, torchvision and their CUDA dependencies."""
    blocks = re.split(r"\n(?=\S)", lock)
    return "\n".join(block for block in blocks if not CHOSEN.fullmatch(re.split(r"[=\s]", block, maxsplit=1)[0]))
