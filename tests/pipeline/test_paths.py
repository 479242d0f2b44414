"""Folders with odd names, and odd environments: works, or one message before anything runs."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from nextflow_launch import BIN, PATIENCE_S, REPOSITORY, SMALL_NETWORK, environment

from scarnet_cli.phantom.cohort import write_cohort

pytestmark = pytest.mark.pipeline

FIT = "a b'c\"d\\e;f&g!h(i)|<j>`ü"
# A checkout stands in PATH, between double quotes.
FIT_CHECKOUT = "a b'c\\d;e&f!g(h)|<i>ü"
PATTERNS = "[1]{a,b}*?$HOME"


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(1, folder)
    return folder / "dicom"


def checkout(folder: Path) -> Path:
    """Return the pipeline in another folder, with the same environment and weights."""
    folder.mkdir(parents=True)
    for name in ("conf", "modules", "workflows", "bin"):
        shutil.copytree(REPOSITORY / name, folder / name)
    for name in ("main.nf", "nextflow.config", "nextflow_schema.json"):
        shutil.copy2(REPOSITORY / name, folder)
    for name in (".venv", "scarnet_cli", "weights"):
        (folder / name).symlink_to(REPOSITORY / name)
    return folder


def run(
    launch: Path, main: Path, *arguments: object, variables: Mapping[str, str] | None = None, before: str = ""
) -> subprocess.CompletedProcess[bytes]:
    launch.mkdir(exist_ok=True)
    command = [BIN / "nextflow", "run", main / "main.nf", "-ansi-log", "false", *map(os.fsencode, map(str, arguments))]
    shell = ["unshare", "--mount", "bash", "-c", f'{before}\nexec "$0" "$@"'] if before else []
    return subprocess.run(
        [*shell, *command],
        cwd=launch,
        env=environment() if variables is None else variables,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )


def measured(out: Path) -> int:
    return pq.read_table(out / "tables" / "scans.parquet").num_rows


def odd_environment(folder: Path) -> dict[str, str]:
    """Return variables of another Python, a locale without umlauts, no home, and no folder for temporary files."""
    other = folder / "other" / "numpy"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise ImportError('numpy of another Python')\n")
    (folder / "start.py").write_text("raise SystemExit('started by another Python')\n")
    odd = {"PYTHONPATH": str(folder / "other"), "PYTHONHOME": str(folder), "PYTHONSTARTUP": str(folder / "start.py")}
    odd |= {"LANG": "C", "LC_ALL": "C", "TMPDIR": str(folder / "nowhere")}
    # Nor Java's archive of classes, which it would write where nothing can be written, if no test has made it before.
    return {key: value for key, value in environment().items() if key not in ("HOME", "NXF_OPTS")} | odd


def test_odd_names_and_an_odd_environment_change_nothing(phantom: Path, tmp_path: Path) -> None:
    read_only = os.geteuid() == 0  # only root can make a folder read-only for itself, by a mount of its own
    main = checkout(tmp_path / f"checkout {FIT_CHECKOUT}")
    shutil.copytree(phantom, tmp_path / f"input {FIT}{PATTERNS}")
    out = tmp_path / f"out {FIT}"
    arguments = ("--input", tmp_path / f"input {FIT}{PATTERNS}", "--outdir", out, *SMALL_NETWORK, "--max_cpus", "2")
    mounts = "".join(
        f"mount --bind '{folder}' '{folder}' && mount -o remount,bind,ro '{folder}' || exit 99\n"
        for folder in (str(path).replace("'", "'\\''") for path in (main, REPOSITORY))
    )
    before = "umask 077\n" + (mounts if read_only else "")
    done = run(tmp_path / f"launch {FIT}", main, *arguments, variables=odd_environment(tmp_path), before=before)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    assert measured(out) == 1


def test_commands_and_the_doctor_work_in_an_odd_environment(phantom: Path, tmp_path: Path) -> None:
    out = tmp_path / f"out {FIT}[1]{{a,b}}*$HOME"
    words = {"cwd": tmp_path, "env": odd_environment(tmp_path), "capture_output": True, "text": True}
    done = subprocess.run([BIN / "scarnet", "run", phantom, out, *SMALL_NETWORK], check=False, **words)
    assert done.returncode == 0, done.stderr
    assert measured(out) == 1
    doctor = subprocess.run([BIN / "scarnet", "doctor"], check=False, **words)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert "Traceback" not in doctor.stdout + doctor.stderr


def test_characters_and_a_login_that_nextflow_cannot_take_are_said_before_anything_runs(tmp_path: Path) -> None:
    main = checkout(tmp_path / "check$out")
    unfit = {"--outdir": "[", "-work-dir": "{", "--weights": "$", "--reviewed": "*", "--series_rules": "?"}
    unfit |= {"--download_dir": "\t"}
    named: dict[str, Path] = {}
    for where, character in unfit.items():
        folder = tmp_path / f"a{character}b"
        folder.mkdir()
        is_file = where in ("--weights", "--reviewed", "--series_rules")
        named[where] = Path(shutil.copy2(REPOSITORY / "weights" / "unet.safetensors", folder)) if is_file else folder
    given = [word for where, path in named.items() for word in (where, path)]
    addresses = ("--input", "dicomweb+https://jane:secret@pacs/dicom-web", "--store_to", "dicomweb+https://a@b/x")
    done = run(tmp_path / "launch", main, *addresses, *given)
    assert done.returncode == 1
    said = done.stdout.decode()
    assert "--input holds a user name or a password" in said
    assert "--store_to is not an address to store at" in said
    assert "secret" not in said
    assert f"The pipeline's folder '{main}' holds the character $, which" in said
    for where, path in named.items():
        character = "tab" if unfit[where] == "\t" else unfit[where]
        assert f"{where} '{path}' holds the character {character}, which" in said
    assert "Submitted" not in said
    assert "Caused by" not in said


def test_a_checkout_that_path_cannot_hold_is_said_before_anything_runs(phantom: Path, tmp_path: Path) -> None:
    main = checkout(tmp_path / 'a"b')
    done = run(tmp_path / "launch", main, "--input", phantom, "--outdir", tmp_path / "out")
    assert done.returncode == 1
    assert f"The pipeline's folder '{main}' holds the character \", which" in done.stdout.decode()


def test_a_parameter_that_is_no_utf_8_is_said_before_anything_runs(phantom: Path, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"a\xffb")
    odd.mkdir()
    done = run(tmp_path / "launch", REPOSITORY, "--input", odd, "--outdir", tmp_path / "out")
    assert done.returncode == 1
    assert "--input holds a character that is not UTF-8" in done.stdout.decode(errors="replace")
