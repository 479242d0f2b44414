"""Writing and reading one table."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from table_rows import write_rows

from scarnet_cli import __version__
from scarnet_cli.errors import CohortError
from scarnet_cli.tables.parquet import read_table, table_metadata
from scarnet_cli.tables.schema import SCHEMA_VERSION, TABLES


@pytest.mark.parametrize("name", TABLES)
def test_empty_table_has_the_same_schema(name: str, tmp_path: Path) -> None:
    write_rows(name, [], tmp_path / "t.parquet", {})
    assert read_table(tmp_path / "t.parquet").schema.equals(TABLES[name])
    assert list(pd.read_parquet(tmp_path / "t.parquet").columns) == TABLES[name].names


def test_units_and_meanings_are_in_the_file(tmp_path: Path) -> None:
    write_rows("scans", [], tmp_path / "t.parquet", {})
    assert read_table(tmp_path / "t.parquet").schema.field("scar_g").metadata[b"unit"] == b"g"


def test_rows_are_sorted_by_key_whatever_their_order(tmp_path: Path) -> None:
    rows = [{"study_id": s, "slice": i} for s, i in (("b", 0), ("a", 10), ("a", 2))]
    write_rows("slices", rows, tmp_path / "t.parquet", {})
    found = read_table(tmp_path / "t.parquet")
    assert list(zip(found["study_id"].to_pylist(), found["slice"].to_pylist(), strict=True)) == [
        ("a", 2),
        ("a", 10),
        ("b", 0),
    ]


def test_order_of_rows_and_ties_do_not_change_the_bytes(tmp_path: Path) -> None:
    rows = [{"study_id": "a", "chosen": chosen, "reason": reason} for chosen in (True, False) for reason in ("x", "y")]
    time = {"creation_time": "2026-01-01T00:00:00+00:00"}
    write_rows("series", rows, tmp_path / "forward.parquet", time)
    write_rows("series", rows[::-1], tmp_path / "backward.parquet", time)
    assert (tmp_path / "forward.parquet").read_bytes() == (tmp_path / "backward.parquet").read_bytes()


def test_undefined_numbers_and_columns_left_out_are_null(tmp_path: Path) -> None:
    row = {"study_id": "a", "scar_ml": float("nan"), "scar_g": np.float32("nan"), "mvo_ml": float("inf"), "slices": 3}
    write_rows("scans", [row], tmp_path / "t.parquet", {})
    (found,) = read_table(tmp_path / "t.parquet").to_pylist()
    assert (found["scar_ml"], found["scar_g"], found["mvo_ml"], found["confidence"]) == (None, None, None, None)
    assert found["slices"] == 3
    assert found["flags"] == []


def test_numpy_values_are_written(tmp_path: Path) -> None:
    row = {"study_id": "a", "slices": np.int64(7), "scar_ml": np.float64(1.5), "flags": ("one", "two")}
    write_rows("scans", [row], tmp_path / "t.parquet", {})
    (found,) = read_table(tmp_path / "t.parquet").to_pylist()
    assert (found["slices"], found["scar_ml"], found["flags"]) == (7, 1.5, ["one", "two"])


def test_metadata_holds_versions_model_digest_and_time(tmp_path: Path) -> None:
    write_rows("scans", [], tmp_path / "t.parquet", {"model_sha256": "ab12"})
    metadata = table_metadata(read_table(tmp_path / "t.parquet"))
    assert metadata["pipeline_version"] == __version__
    assert metadata["schema_version"] == SCHEMA_VERSION
    assert metadata["model_sha256"] == "ab12"
    assert pd.Timestamp(metadata["creation_time"]).tzinfo is not None


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        ("scans", {"study_id": "a", "age": 3}, "no column age"),
        ("scans", {"slices": 3}, "needs the column study_id"),
        ("scans", {"study_id": None}, "study_id has 1 nulls"),
        ("scans", {"study_id": "a", "slices": 1.5}, "slices: 1.5 is not a whole number"),
        ("scans", {"study_id": "a", "scar_ml": "much"}, "another type"),
    ],
)
def test_wrong_row_raises(name: str, row: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(CohortError, match=message):
        write_rows(name, [row], tmp_path / "t.parquet", {})
    assert list(tmp_path.iterdir()) == []


def test_missing_and_broken_files_raise_without_their_directory(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match=r"^Table t\.parquet is missing"):
        read_table(tmp_path / "t.parquet")
    (tmp_path / "t.parquet").write_text("no parquet")
    with pytest.raises(CohortError, match=r"^Table t\.parquet is not a Parquet file"):
        read_table(tmp_path / "t.parquet")


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    path = tmp_path / "batch=3" / "studies.parquet"
    write_rows("studies", [{"study_id": "a"}], path, {})
    assert read_table(path).schema.names == TABLES["studies"].names


def test_key_columns_are_required_in_the_file(tmp_path: Path) -> None:
    write_rows("studies", [], tmp_path / "t.parquet", {})
    assert not pq.read_schema(tmp_path / "t.parquet").field("study_id").nullable
