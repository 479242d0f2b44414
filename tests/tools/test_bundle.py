"""The file for machines without network, with a stand-in for what set-up does there."""

import os
import subprocess
import sys
from pathlib import Path

import bundle
import pytest

# Says what it was told, in the folder that it was started in.
SETUP = """\
import os, pathlib, sys
names = ("PIP_NO_INDEX", "PIP_FIND_LINKS", "SCARNET_JARS")
pathlib.Path("told.txt").write_text("\\n".join([*sys.argv[1:], *(os.environ[name] for name in names)]))
"""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    content = tmp_path / "content"
    (content / "tools").mkdir(parents=True)
    (content / "tools" / "setup.py").write_text(SETUP)
    (content / "offline" / "wheels").mkdir(parents=True)
    (content / "offline" / "wheels" / "some.whl").write_bytes(os.urandom(1 << 16))
    path = tmp_path / "bundle.sh"
    bundle.write_bundle(content, path, "no")
    return path


def unpack(path: Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "PYTHON": sys.executable, **variables}
    return subprocess.run(["/bin/sh", path, folder], capture_output=True, text=True, check=False, env=given)


def test_it_unpacks_itself_sets_up_from_its_own_files_and_leaves_none_of_them(made: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    done = unpack(made, there)
    assert done.returncode == 0, done.stderr
    offline = there / "offline"
    told = (there / "told.txt").read_text().splitlines()
    assert told == ["--torch", "no", "1", str(offline / "wheels"), str(offline / "jars")]
    assert not offline.exists()


def test_one_that_was_cut_short_is_refused_before_anything_is_written(made: Path, tmp_path: Path) -> None:
    made.write_bytes(made.read_bytes()[:-1000])
    done = unpack(made, tmp_path / "there")
    assert done.returncode == 1
    assert "is not whole; copy it again" in done.stderr
    assert not (tmp_path / "there").exists()


def test_without_the_python_that_it_was_made_for_it_says_which_is_needed(made: Path, tmp_path: Path) -> None:
    needed = f"python{sys.version_info.major}.{sys.version_info.minor}"
    done = unpack(made, tmp_path / "there", PYTHON="", PATH=str(tmp_path / "nothing"))
    assert done.returncode == 1
    assert f"Python {needed.removeprefix('python')} is needed" in done.stderr
