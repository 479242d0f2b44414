"""The browser that the report's tests drive: Debian's chromium, installed where that can be done without asking."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
_RELEASE: Final = Path("/etc/os-release")


def find_browser() -> str | None:
    """Return the program that $CHROMIUM names, else the first of `PROGRAMS` on the PATH; None without one."""
    found = (shutil.which(name) for name in (os.environ.get("CHROMIUM"), *PROGRAMS) if name)
    return next((program for program in found if program), None)


def have_browser(release: Path = _RELEASE, user: int | None = None) -> None:
    """Install chromium where none is there and this is root on Debian; else say what the tests will do without it.

    Args:
        release: File that says which system this is.
        user: Number of the user who runs this; the real one if left out.
    """
    if find_browser():
        return
    is_root = (os.geteuid() if user is None else user) == 0
    # Ubuntu's package of that name is an empty one that points to a snap.
    if is_root and shutil.which("apt-get") and "ID=debian" in _lines(release):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            done = subprocess.run(
                ["apt-get", "--quiet=2", *words], env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                sys.stderr.write(f"set-up: apt-get {words[0]} failed: {done.stderr.strip()}\n")
    if not find_browser():
        sys.stderr.write("set-up: no chromium, so the report's tests in a browser are skipped; apt install chromium\n")


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
