import os
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from torch_choice import (
    OLDEST,
    find_torch,
    in_range,
    locked_version,
    offered_cpu_build,
    offered_torchvision,
    without_torch,
)

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(sys.executable)
LOCK = (
    "# made by uv\n"
    "nvidia-nccl-cu13==2.29.7 ; sys_platform == 'linux' \\\n    --hash=sha256:aa\n"
    "sympy==1.14.0 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    "torch==2.12.1 \\\n    --hash=sha256:dd\n"
    "torchvision==0.27.1 \\\n    --hash=sha256:ff\n"
    "triton==3.7.1 ; sys_platform == 'linux' \\\n    --hash=sha256:ee\n"
)


def write_wheel(folder: Path, version: str, name: str = "torch") -> None:
    """Write a package of nothing but a name and a version."""
    information = f"{name}-{version}.dist-info"
    with ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{information}/RECORD", "")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is the only source of this Python's pip."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def test_the_oldest_torch_accepted_is_the_one_that_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["optional-dependencies"]["torch"]
    assert wanted[:2] == [f"torch>={OLDEST[0]}.{OLDEST[1]}", f"torchvision>=0.{OLDEST[1] + 15}"]


@pytest.mark.parametrize(
    ("version", "accepted"),
    [("2.4.0", True), ("2.12.1+cpu", True), ("3.0.0", True), ("2.3.1", False), ("1.13.1", False), ("unknown", False)],
)
def test_a_version_is_judged_by_its_numbers_not_its_letters(version: str, accepted: bool) -> None:  # noqa: FBT001
    assert in_range(version) is accepted


def test_a_torch_in_a_folder_is_found_unless_too_old(tmp_path: Path) -> None:
    for name, version in (("old", "2.3.1"), ("new", "2.6.0+cpu")):
        information = tmp_path / name / f"torch-{version}.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n")
    found = find_torch([str(tmp_path / "old"), str(tmp_path / "new")])
    assert found is not None
    assert (found.version, found.folder) == ("2.6.0+cpu", tmp_path / "new")
    assert find_torch([str(tmp_path / "old")]) is None


def test_what_stays_beside_another_torch_are_the_other_packages_with_their_hashes() -> None:
    assert without_torch(LOCK) == ("# made by uv\nsympy==1.14.0 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc")


def test_the_lock_names_its_torch() -> None:
    assert locked_version(LOCK) == "2.12.1"
    with pytest.raises(ValueError, match="make lock"):
        locked_version("sympy==1.14.0\n")


def test_the_locked_release_is_preferred_among_the_cpu_builds_that_a_users_source_offers(source: Path) -> None:
    for version in ("2.6.0+cpu", "2.12.1+cpu", "2.13.0+cpu", "2.13.0"):
        write_wheel(source, version)
    assert offered_cpu_build(PYTHON, "2.12.1") == "2.12.1+cpu"
    assert offered_cpu_build(PYTHON, "2.11.0") == "2.13.0+cpu"


@pytest.mark.parametrize("versions", [[], ["2.3.0+cpu"], ["2.12.1+cu130"], ["2.12.1"]])
def test_a_source_without_a_new_enough_cpu_build_offers_none(source: Path, versions: list[str]) -> None:
    for version in versions:
        write_wheel(source, version)
    assert offered_cpu_build(PYTHON, "2.12.1") is None


def test_a_cpu_build_gets_the_torchvision_of_its_own_release_from_a_users_source(source: Path) -> None:
    for version in ("0.26.0+cpu", "0.27.0+cpu", "0.27.1", "0.27.1+cpu", "0.27.1+cu130"):
        write_wheel(source, version, name="torchvision")
    assert offered_torchvision(PYTHON, "2.12.1+cpu") == "0.27.1+cpu"
    assert offered_torchvision(PYTHON, "2.11.0+cpu") == "0.26.0+cpu"
    assert offered_torchvision(PYTHON, "2.10.0+cpu") is None


@pytest.mark.parametrize("torch", ["2.12.1", "2.12.1+cu130", "3.0.0+cpu"])
def test_a_torch_that_is_no_cpu_build_of_a_known_pairing_is_offered_no_torchvision(source: Path, torch: str) -> None:
    write_wheel(source, "0.27.1+cpu", name="torchvision")
    assert offered_torchvision(PYTHON, torch) is None
