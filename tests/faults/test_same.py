"""The comparison of two runs sees what differs, and nothing else."""

import shutil
from pathlib import Path

import pytest
from made_cohort import write_cohort, write_tables
from table_rows import write_rows

from faults.same import differences

STUDIES = 3


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    write_cohort(tmp_path / "one", STUDIES)
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    return tmp_path / "one", tmp_path / "other"


def test_another_time_of_making_is_no_difference(runs: tuple[Path, Path]) -> None:
    one, other = runs
    metadata = {"creation_time": "2001-01-01T00:00:00+00:00"}
    write_rows("failures", [], one / "tables" / "failures.parquet", metadata)
    assert differences(one, other) == []


def test_one_value_is_a_difference_unless_its_study_is_left_aside(runs: tuple[Path, Path]) -> None:
    one, other = runs
    row = {"study_id": "S00000", "scar_percent_lv": 1.0}
    write_tables(one / "tables", [row])
    write_tables(other / "tables", [row | {"scar_percent_lv": 1.5}])
    assert differences(one, other) == ["scans: other values of scar_percent_lv"]
    assert differences(one, other, ["S00000"]) == []


def test_a_missing_row_and_a_changed_or_missing_file_are_differences(runs: tuple[Path, Path]) -> None:
    one, other = runs
    write_tables(other / "tables", [])
    (other / "studies" / "S00001" / "overlay.png").unlink()
    (other / "studies" / "S00001" / "overlay.png").write_bytes(b"another")
    (other / "studies" / "S00002" / "overlay.png").unlink()
    told = differences(one, other)
    assert f"scans: 0 rows for {STUDIES}" in told
    assert told[-2:] == ["S00002/overlay.png: is missing", "S00001/overlay.png: other content"]
