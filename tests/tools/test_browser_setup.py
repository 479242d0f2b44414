"""Set-up's browser: taken where it is, installed as root on Debian, and otherwise told of and done without."""

from pathlib import Path

import pytest
from browser import find_browser, have_browser


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder of the PATH, beside the system's own shell tools; no browser is in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CHROMIUM", raising=False)
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
    assert find_browser() == str(path / "chromium")
    monkeypatch.setenv("CHROMIUM", str(program(tmp_path / "mine")))
    assert find_browser() == str(tmp_path / "mine")


def test_a_browser_that_is_there_is_left_alone(path: Path, debian: Path) -> None:
    program(path / "chromium")
    apt_get(path, "exit 1")
    have_browser(debian, user=0)
    assert not (path / "calls").exists()


def test_root_on_debian_gets_chromium(path: Path, debian: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apt_get(path, f"/bin/cp {path}/apt-get {path}/chromium")
    have_browser(debian, user=0)
    calls = (path / "calls").read_text().splitlines()
    assert calls == ["--quiet=2 update", "--quiet=2 install --yes --no-install-recommends chromium"]
    assert find_browser() == str(path / "chromium")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("user", "system"), [(1000, "debian"), (0, "ubuntu")])
def test_others_are_told_that_the_tests_skip(
    user: int, system: str, path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    apt_get(path, "")
    release = tmp_path / "os-release"
    release.write_text(f"ID={system}\n")
    have_browser(release, user=user)
    assert not (path / "calls").exists()
    assert "tests in a browser are skipped; apt install chromium" in capsys.readouterr().err


def test_a_failure_of_apt_is_told_and_set_up_goes_on(
    path: Path, debian: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    apt_get(path, "echo 'no network' >&2; exit 100")
    have_browser(debian, user=0)
    said = capsys.readouterr().err
    assert "apt-get install failed: no network" in said
    assert "tests in a browser are skipped" in said
