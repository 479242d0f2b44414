"""Debian's programs for the checks: taken where they are, installed as root, otherwise told of and done without."""

from dataclasses import replace
from pathlib import Path

import pytest
from debian import BROWSER, ORTHANC, PROGRAMS, have_programs


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder of the PATH: none of the programs is in it or known besides."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for program in PROGRAMS:
        if program.variable:
            monkeypatch.delenv(program.variable, raising=False)
    monkeypatch.setattr("debian.PROGRAMS", tuple(replace(program, folders=()) for program in PROGRAMS))
    return folder


@pytest.fixture
def debian(tmp_path: Path) -> Path:
    release = tmp_path / "os-release"
    release.write_text('PRETTY_NAME="Debian"\nID=debian\n')
    return release


def program(path: Path, script: str = "") -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def apt_get(folder: Path, then: str) -> None:
    """Put an apt-get there that writes down how it was called."""
    program(folder / "apt-get", f'echo "$@" >> {folder}/calls\n{then}')


def test_a_browser_of_the_users_own_goes_before_those_on_the_path(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(path / "chromium")
    assert BROWSER.find() == str(path / "chromium")
    monkeypatch.setenv("CHROMIUM", str(program(tmp_path / "mine")))
    assert BROWSER.find() == str(tmp_path / "mine")


def test_a_server_is_found_where_a_users_path_does_not_lead(tmp_path: Path, path: Path) -> None:
    program(tmp_path / "Orthanc")
    assert replace(ORTHANC, folders=()).find() is None
    assert replace(ORTHANC, folders=(str(tmp_path),)).find() == str(tmp_path / "Orthanc")


def test_programs_that_are_there_are_left_alone(path: Path, debian: Path) -> None:
    for name in ("chromium", "Orthanc", "dciodvfy"):
        program(path / name)
    apt_get(path, "exit 1")
    have_programs(debian, user=0)
    assert not (path / "calls").exists()


def test_root_on_debian_gets_what_is_missing_and_no_server_is_started(
    path: Path, debian: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program(path / "chromium")
    programs = f"/bin/cp {path}/chromium {path}/Orthanc; /bin/cp {path}/chromium {path}/dciodvfy"
    apt_get(path, f"echo runlevel $RUNLEVEL >> {path}/calls; {programs}")
    have_programs(debian, user=0)
    assert (path / "calls").read_text().splitlines() == [
        "--quiet=2 update",
        "runlevel 1",
        "--quiet=2 install --yes --no-install-recommends orthanc orthanc-dicomweb dicom3tools",
        "runlevel 1",
    ]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("user", "system"), [(1000, "debian"), (0, "ubuntu")])
def test_others_are_told_that_the_tests_skip(
    user: int, system: str, path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    apt_get(path, "")
    release = tmp_path / "os-release"
    release.write_text(f"ID={system}\n")
    have_programs(release, user=user)
    assert not (path / "calls").exists()
    assert "tests in a browser are skipped; apt install chromium" in capsys.readouterr().err


def test_a_failure_of_apt_is_told_and_set_up_goes_on(
    path: Path, debian: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    apt_get(path, "echo 'no network' >&2; exit 100")
    have_programs(debian, user=0)
    said = capsys.readouterr().err
    assert "apt-get install failed: no network" in said
    assert "tests in a browser are skipped" in said
