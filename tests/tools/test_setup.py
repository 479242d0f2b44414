import re
import shutil
import threading
import tomllib
from pathlib import Path

import pytest
from nextflow import Environment
from setup import (
    CHECKER,
    RUNNER,
    STAMP,
    UNFINISHED,
    alone,
    digest,
    is_done,
    is_whole,
    read_stamp,
    remove_leftovers,
    write_stamp,
)

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = sorted((ROOT / "requirements").iterdir())


@pytest.fixture
def where(tmp_path: Path) -> Environment:
    for name in ("requirements", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "scarnet_cli").mkdir()
    for name in ("pyproject.toml", "scarnet_cli/__init__.py"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    return Environment(tmp_path, tmp_path / ".venv")


def test_the_digest_follows_every_input_of_set_up(where: Environment) -> None:
    before = digest(where, "auto")
    assert digest(where, "auto") == before
    assert digest(where, "no") != before
    for name in ("requirements/core.txt", "requirements/nextflow-24.10.jars", "tools/setup.py", "pyproject.toml"):
        path = where.root / name
        text = path.read_text()
        path.write_text(text + "\n")
        assert digest(where, "auto") != before, name
        path.write_text(text)
    assert digest(where, "auto") == before


def test_the_stamp_comes_back_as_written_and_a_broken_one_counts_as_none(where: Environment) -> None:
    assert read_stamp(where) == {}
    write_stamp(where, {"run": "abc"})
    assert read_stamp(where) == {"run": "abc"}
    (where.venv / STAMP).write_text('{"run"')
    assert read_stamp(where) == {}


def fill(where: Environment) -> None:
    """Put the programs and folders there that a finished set-up leaves."""
    for name in ("python", "scarnet", "nextflow", "nextflow-25", "ruff"):
        where.program(name).touch()
    for version in (RUNNER, CHECKER):
        (where.venv / "nextflow" / version).mkdir(parents=True)


def test_an_environment_without_one_of_its_programs_or_jars_is_not_whole(where: Environment) -> None:
    assert not is_whole(where, checks=False)
    fill(where)
    assert is_whole(where, checks=True)
    where.program("scarnet").unlink()
    assert not is_whole(where, checks=False)
    where.program("scarnet").touch()
    (where.venv / "nextflow" / CHECKER).rmdir()
    assert is_whole(where, checks=False)
    assert not is_whole(where, checks=True)
    (where.venv / "nextflow" / RUNNER).rmdir()
    assert not is_whole(where, checks=False)


def test_the_users_own_nextflow_needs_no_jars(where: Environment) -> None:
    fill(where)
    (where.venv / "nextflow" / RUNNER).rmdir()
    where.program("nextflow").unlink()
    where.program("nextflow").symlink_to(where.program("ruff"))
    assert is_whole(where, checks=False)


def test_an_install_that_was_cut_off_is_not_whole(where: Environment) -> None:
    fill(where)
    (where.venv / UNFINISHED).touch()
    assert not is_whole(where, checks=False)


def test_what_a_killed_pip_left_behind_is_removed(where: Environment) -> None:
    left = where.venv / "lib" / "python3.11" / "site-packages" / "~ip-24.0.dist-info"
    left.mkdir(parents=True)
    remove_leftovers(where)
    assert list(left.parent.glob("~*")) == []
    assert left.parent.is_dir()


def test_set_up_is_done_for_the_parts_whose_stamp_fits_its_inputs(where: Environment) -> None:
    fill(where)
    write_stamp(where, {"run": digest(where, "auto"), "checks": "of yesterday"})
    assert is_done(where, "auto", checks=False)
    assert not is_done(where, "auto", checks=True)
    assert not is_done(where, "no", checks=False)


def test_a_second_set_up_of_the_same_folder_waits_for_the_first(where: Environment) -> None:
    ended: list[str] = []

    def second() -> None:
        with alone(where):
            ended.append("second")

    with alone(where):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(timeout=0.2)
        ended.append("first")
    waiting.join()
    assert ended == ["first", "second"]


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, wanted in {"core": project["dependencies"], **project["optional-dependencies"]}.items():
        lock = (ROOT / f"requirements/{name}.txt").read_text().lower()
        for line in wanted:
            package = re.split(r"[\[>=<]", line)[0].lower()
            assert re.search(rf"^{re.escape(package)}(\[.*\])?==", lock, re.MULTILINE), f"{package}: say make lock"


@pytest.mark.parametrize("path", [path for path in REQUIREMENTS if path.suffix == ".txt"], ids=lambda path: path.name)
def test_every_locked_package_has_hashes_and_no_file_names_an_index(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    for block in re.split(r"\n(?=[a-zA-Z])", text)[1:]:
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_the_lists_agree_on_every_version() -> None:
    seen: dict[str, str] = {}
    for path in REQUIREMENTS:
        for package, version in re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)", path.read_text(), re.MULTILINE):
            assert seen.setdefault(package, version) == version, f"{package} in {path.name}"
