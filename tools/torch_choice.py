"""Choice of torch: an existing one, a CPU build from the user's own sources, or the locked one.

PyPI's torch for Linux is the CUDA build, a download of gigabytes, which is avoided if a smaller one is available. A
torchvision works only with the torch that it was built for, so the two are chosen together.
"""

import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pip_settings import UvSettings

OLDEST: Final = (2, 4)
# The two packages that are chosen here, and those that only their CUDA build needs.
CHOSEN: Final = re.compile(r"torch|torchvision|triton|(nvidia|cuda)-.*")
SOURCES: Final = ("UV_FIND_LINKS", "UV_INDEX", "UV_DEFAULT_INDEX")


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


def offered_cpu_build(uv_program: Path, locked: str, uv: UvSettings) -> str | None:
    """Return the version of a `+cpu` torch in the user's own sources, the locked or else the newest one, or None."""
    return _offered(uv_program, "torch", (f"=={locked}+cpu", f">={OLDEST[0]}.{OLDEST[1]}"), uv)


def offered_torchvision(uv_program: Path, torch: str, uv: UvSettings) -> str | None:
    """Return the version of the torchvision for this `+cpu` torch in the user's own sources, or None."""
    numbers = re.fullmatch(r"2\.(\d+)\.(\d+)\+cpu", torch)
    if numbers is None:
        return None
    # They are released in pairs: torch 2.4.1 with torchvision 0.19.1, 2.12.1 with 0.27.1.
    return _offered(uv_program, "torchvision", (f"==0.{int(numbers[1]) + 15}.{numbers[2]}+cpu",), uv)


def _offered(uv_program: Path, package: str, wanted: tuple[str, ...], uv: UvSettings) -> str | None:
    """Return the first `+cpu` version that any of the user's sources has for one of these specifiers, or None."""
    for options, environment in _each_source(uv):
        for specifier in wanted:
            command = [str(uv_program), "pip", "compile", "-", "--no-deps", "--no-header", "--no-annotate", "--quiet"]
            command += ["--python", str(uv_program.parent / "python"), *options]
            question = package + specifier
            answer = subprocess.run(
                command, input=question, capture_output=True, text=True, check=False, env=environment
            ).stdout
            version = answer.strip().removeprefix(f"{package}==")
            if version.partition("+")[2].startswith("cpu"):
                return version
    return None


def _each_source(uv: UvSettings) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Yield the options and environment that restrict uv to each of the user's sources in turn."""
    bare = {name: value for name, value in uv.environment.items() if name not in SOURCES}
    for folder in filter(None, uv.environment.get("UV_FIND_LINKS", "").split(",")):
        yield ["--no-index", "--find-links", folder], bare
    if "--no-index" not in uv.options:
        for index in (uv.environment.get("UV_INDEX", "") + " " + uv.environment.get("UV_DEFAULT_INDEX", "")).split():
            yield [*uv.options, "--default-index", index], bare


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
