"""CSV beside the Parquet: the same rows for programs that read no Parquet."""

import csv
import struct
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from table_rows import write_rows

from scarnet_cli.tables.csv import write_csv


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_lists_are_joined_undefined_is_empty_and_text_is_quoted(tmp_path: Path) -> None:
    rows = [
        {"study_id": "a", "slices": 9, "scar_ml": 0.0, "flags": ["few_slices", "no_scar"], "manufacturer": 'A "B", C'},
        {"study_id": "b", "flags": [], "site": "Ålesund\t;"},
    ]
    write_rows("scans", rows, tmp_path / "scans.parquet", {})
    write_csv(tmp_path / "scans.parquet")
    a, b = cells(tmp_path / "scans.csv")
    assert (a["slices"], a["scar_ml"], a["flags"], a["manufacturer"]) == ("9", "0", "few_slices;no_scar", 'A "B", C')
    assert (b["slices"], b["scar_ml"], b["flags"], b["site"]) == ("", "", "", "Ålesund\t;")
    assert pd.read_csv(tmp_path / "scans.csv")["scar_ml"].isna().tolist() == [False, True]


def test_a_table_without_rows_has_its_columns(tmp_path: Path) -> None:
    write_rows("failures", [], tmp_path / "failures.parquet", {})
    write_csv(tmp_path / "failures.parquet")
    assert list(pd.read_csv(tmp_path / "failures.csv").columns[:4]) == ["study_id", "stage", "code", "message"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_again_to_the_bit(tmp_path: Path, number: float) -> None:
    write_rows("scans", [{"study_id": "a", "scar_ml": number}], tmp_path / "scans.parquet", {})
    write_csv(tmp_path / "scans.parquet")
    (row,) = cells(tmp_path / "scans.csv")
    assert struct.pack("d", float(row["scar_ml"])) == struct.pack("d", number)
