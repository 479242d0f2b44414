"""Debian programs that the checks need and no Python package provides; installed without asking if possible."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_RELEASE: Final = Path("/etc/os-release")


@dataclass(frozen=True, slots=True)
class Program:
    """A program from Debian.

    Attributes:
        names: Its possible names on the PATH.
        packages: The Debian packages that provide it.
        used_by: The tests that skip without it.
        variable: Environment variable that may name the user's own copy, or None.
        folders: Folders to search besides the PATH, which often lacks /usr/sbin for users other than root.
    """

    names: tuple[str, ...]
    packages: tuple[str, ...]
    used_by: str
    variable: str | None = None
    folders: tuple[str, ...] = ()

    def find(self) -> str | None:
        """Return the program that the variable names, else the first of its names on the PATH, or None."""
        own = os.environ.get(self.variable) if self.variable else None
        path = os.pathsep.join((os.environ.get("PATH", ""), *self.folders))
        found = (shutil.which(name, path=path) for name in (own, *self.names) if name)
        return next((program for program in found if program), None)


BROWSER: Final = Program(
    ("chromium", "chromium-browser", "google-chrome"), ("chromium",), "the report's tests in a browser", "CHROMIUM"
)
ORTHANC: Final = Program(
    ("Orthanc",), ("orthanc", "orthanc-dicomweb"), "the tests with a PACS", "ORTHANC", ("/usr/sbin",)
)
DCIODVFY: Final = Program(("dciodvfy",), ("dicom3tools",), "the validation of DICOM results")
PROGRAMS: Final = (BROWSER, ORTHANC, DCIODVFY)


def have_programs(release: Path = _RELEASE, user: int | None = None) -> None:
    """Install the missing programs if this runs as root on Debian; otherwise print which tests will skip.

    Args:
        release: The os-release file of the system.
        user: User id; that of this process by default.
    """
    missing = [program for program in PROGRAMS if not program.find()]
    is_root = (os.geteuid() if user is None else user) == 0
    # Ubuntu's chromium is an empty package that points to a snap.
    if missing and is_root and shutil.which("apt-get") and "ID=debian" in _lines(release):
        _install([package for program in missing for package in program.packages])
    for program in missing:
        if not program.find():
            packages = " ".join(program.packages)
            sys.stderr.write(
                f"set-up: no {program.names[0]}, so {program.used_by} are skipped; apt install {packages}\n"
            )


def _install(packages: list[str]) -> None:
    # RUNLEVEL keeps packages from starting servers, as Orthanc's would; the tests start their own on loopback.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "--quiet=2", *words], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            sys.stderr.write(f"set-up: apt-get {words[0]} failed: {done.stderr.strip()}\n")


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
