"""Renew the locked requirements and jars: `make lock`, or `make lock UPGRADE=yes` for the newest releases.

Everything is resolved together first, then each list alone under those pins, so that any of the files can be installed
together. No index address is written, so that the files work with any index of the user's pip.
"""

import argparse
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Final

from pip_settings import UvSettings, uv_settings

ROOT: Final = Path(__file__).resolve().parent.parent
REQUIREMENTS: Final = ROOT / "requirements"
OLDEST_PYTHON: Final = "3.11"
HAND_WRITTEN: Final = ("bootstrap", "images", "nextflow")
ALONE: Final = "medsam"  # only its data files are used and it is never imported, so its dependencies are left out


def requested(pyproject: str) -> dict[str, str]:
    """Return name -> text of the unpinned requirements file, for each lock file."""
    project = tomllib.loads(pyproject)["project"]
    lists = {"core": project["dependencies"], **project["optional-dependencies"]}
    from_project = {name: "\n".join(lines) + "\n" for name, lines in lists.items()}
    return from_project | {name: (REQUIREMENTS / f"{name}.in").read_text() for name in HAND_WRITTEN}


def resolve(text: str, output: Path, options: list[str], uv: UvSettings) -> None:
    """Write the pinned form of `text` to `output`, with hashes, for every platform and Python from 3.11 on."""
    command = [str(ROOT / ".venv/bin/uv"), "pip", "compile", "-", "--output-file", str(output), "--quiet", *uv.options]
    command += ["--universal", "--python-version", OLDEST_PYTHON, "--fork-strategy", "fewest"]
    command += ["--generate-hashes", "--no-annotate", "--custom-compile-command", "make lock", *options]
    subprocess.run(command, input=text, text=True, check=True, env=uv.environment, cwd=ROOT)


def main() -> None:
    """Resolve all lists together, then write a lock file for each, and one for the jars of each Nextflow version."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="Take the newest releases, not those locked now.")
    upgrade: bool = parser.parse_args().upgrade
    lists = requested((ROOT / "pyproject.toml").read_text())
    uv = uv_settings(ROOT / ".venv/bin/python")
    with tempfile.TemporaryDirectory() as folder:
        together = Path(folder) / "together.txt"
        locked = [path.read_text() for path in sorted(REQUIREMENTS.glob("*.txt"))]
        # uv keeps the pins in its output file unless told otherwise.
        together.write_text("" if upgrade else "\n".join(locked))
        resolve("\n".join(lists.values()), together, [], uv)
        for name, text in lists.items():
            resolve(text, REQUIREMENTS / f"{name}.txt", ["--constraints", str(together)], uv)
    upgraded = ["--upgrade"] if upgrade else []
    resolve((REQUIREMENTS / f"{ALONE}.in").read_text(), REQUIREMENTS / f"{ALONE}.txt", ["--no-deps", *upgraded], uv)
    for wanted in sorted(REQUIREMENTS.glob("nextflow-*.in")):
        command = [sys.executable, ROOT / "tools/jars.py", "lock", wanted, wanted.with_suffix(".jars")]
        subprocess.run(command, check=True, env=uv.environment)


if __name__ == "__main__":
    main()
