"""Make one file that sets up a machine without network: `make bundle`, then there `sh FILE FOLDER`.

    .venv/bin/python tools/bundle.py [--torch auto|no] [--out FOLDER]

It holds the commit's code with the weights, the locked packages as wheels, and Nextflow's jars: all for this system and
this minor version of Python, which the other machine must have. There the same set-up runs as here, and checks the same
digests.
"""

import argparse
import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

import torch_choice
from setup import RUNNER

ROOT: Final = Path(__file__).resolve().parent.parent
HEADER: Final = """\
#!/bin/sh
# {name}: ScarNet for a machine without network. Say: sh {name} FOLDER
set -eu
if [ $# -ne 1 ]; then echo "Say: sh $0 FOLDER, where everything goes to FOLDER." >&2; exit 2; fi
python=
for word in ${{PYTHON:-}} python{minor} python3; do
    if "$word" -c 'import sys; sys.exit(sys.version_info[:2] != ({comma}))' 2>/dev/null; then python=$word; break; fi
done
if [ -z "$python" ]; then
    echo "Python {minor} is needed, as on the machine that made this; PYTHON=PATH names one." >&2
    exit 1
fi
payload() {{ tail -c +{start} "$0"; }}
if [ "$(payload | sha256sum | cut -d ' ' -f 1)" != {digest} ]; then
    echo "$0 is not whole; copy it again." >&2
    exit 1
fi
mkdir -p "$1"
payload | tar -x -C "$1"
cd "$1"
PIP_NO_INDEX=1 PIP_FIND_LINKS="$PWD/offline/wheels" PIP_EXTRA_INDEX_URL= UV_OFFLINE=true \\
    SCARNET_JARS="$PWD/offline/jars" "$python" tools/setup.py --torch {torch}
rm -r offline
echo "Set up. A first run: cd $PWD && .venv/bin/nextflow run main.nf -profile test"
exit 0
"""


def main() -> None:
    """Write the file and print its path."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", choices=["auto", "no"], default="auto", help="no: without torch, which is large.")
    parser.add_argument("--out", type=Path, default=ROOT / "build", help="Folder to write to.")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.out, prefix="bundle-") as folder:
        content = Path(folder, "content")
        content.mkdir()
        add_code(content)
        add_wheels(content / "offline" / "wheels", with_torch=arguments.torch == "auto")
        shutil.copytree(ROOT / ".venv" / "nextflow" / RUNNER, content / "offline" / "jars")
        path = arguments.out / f"scarnet-{version()}-{platform.system().lower()}-{platform.machine()}.sh"
        write_bundle(content, path, arguments.torch)
    sys.stdout.write(f"{path} ({path.stat().st_size / 1e6:.0f} MB)\n")


def version() -> str:
    """Return the version of the package in .venv."""
    command = [ROOT / ".venv/bin/scarnet", "--version"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def add_code(content: Path) -> None:
    """Add the files of the commit that is checked out."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", content], input=archive, check=True)


def add_wheels(wheels: Path, *, with_torch: bool) -> None:
    """Download the locked packages; torch as it is in .venv, which may be a CPU build from your own source."""
    lists = ["bootstrap", "core", "nextflow"]
    wheels.mkdir(parents=True)
    for name in lists:
        download(wheels, ["--require-hashes", "--requirement", f"requirements/{name}.txt"])
    if not with_torch:
        return
    lock = (ROOT / "requirements/torch.txt").read_text()
    site = next((ROOT / ".venv").glob("lib/python3*/site-packages"))
    found = torch_choice.find_torch([str(site)])
    if found is None or found.version == torch_choice.locked_version(lock):
        download(wheels, ["--require-hashes", "--requirement", "requirements/torch.txt"])
        return
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as others:
        others.write(torch_choice.without_torch(lock))
        others.flush()
        download(wheels, ["--require-hashes", "--requirement", others.name])
    vision = torch_choice.offered_torchvision(ROOT / ".venv/bin/python", found.version)
    download(wheels, [f"torch=={found.version}", *([f"torchvision=={vision}"] if vision else [])])


def download(wheels: Path, wanted: list[str]) -> None:
    """Download packages as wheels by pip, from the sources that it is configured for."""
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest", wheels]
    command = [ROOT / ".venv/bin/python", "-m", "pip", "download", *options, *wanted]
    subprocess.run(command, check=True, cwd=ROOT)


def write_bundle(content: Path, path: Path, torch: str) -> None:
    """Write the script that unpacks itself: its text, then a tar file."""
    major, minor = sys.version_info[:2]
    words = {"name": path.name, "minor": f"{major}.{minor}", "comma": f"{major}, {minor}", "torch": torch}
    # The header names the first byte after itself and a digest of what follows; it is written once these are known.
    length = len(HEADER.format(**words, start=f"{0:05d}", digest="0" * 64))
    unfinished = path.with_suffix(".new")
    with unfinished.open("w+b") as file:
        file.seek(length)
        with tarfile.open(fileobj=file, mode="w") as tar:
            tar.add(content, arcname=".")
        file.seek(length)
        digest = hashlib.sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
        file.seek(0)
        file.write(HEADER.format(**words, start=f"{length + 1:05d}", digest=digest.hexdigest()).encode())
    unfinished.chmod(0o755)
    unfinished.replace(path)


if __name__ == "__main__":
    main()
