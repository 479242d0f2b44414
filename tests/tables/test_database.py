"""The DuckDB file: the tables themselves, so that it can be moved, and views that answer common questions."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from table_rows import write_rows

from scarnet_cli.errors import CohortError
from scarnet_cli.gather.gather import gather
from scarnet_cli.tables import parquet
from scarnet_cli.tables.database import write_database
from scarnet_cli.tables.dictionary import DICTIONARY, GATHERED, dictionary_csv
from scarnet_cli.tables.parquet import read_table
from scarnet_cli.tables.schema import TABLES

ROWS: dict[str, list[dict[str, Any]]] = {
    "scans": [
        {"study_id": "a", "group": "drug", "scar_ml": 5.0, "scar_percent_lv": 4.0, "flags": ["few_slices", "no_mvo"]},
        {"study_id": "b", "group": "drug", "scar_ml": 0.0, "scar_percent_lv": 0.0, "flags": []},
        {"study_id": "c", "scar_percent_lv": None, "flags": ["no_myocardium"]},
        {"study_id": "r", "group": "drug", "scar_ml": 9.0, "scar_percent_lv": 90.0, "flags": [], "reviewed": "reject"},
    ],
    "slices": [],
    "segments": [{"study_id": "a", "segment": n, "scar_percent": n / 2, "transmurality": None} for n in range(1, 18)],
    "series": [],
    "failures": [{"study_id": "d", "stage": "index", "code": "no_dicom", "message": "None.", "group": "drug"}],
    "exports": [{"study_id": "a", "segmentation_uid": "2.25.1", "report_uid": "2.25.2"}],
    "readers": [{"study_id": "a", "first_reader": "anna", "second_reader": "ben", "first_scar_segments": ["1", "7"]}],
    "readers_summary": [],
    "follow_up": [],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tables, whose name holds what SQL would have to quote."""
    monkeypatch.setattr(parquet, "_now", lambda: "2026-01-01T00:00:00+00:00")
    folder = tmp_path / "a cohort's tables"
    for name, rows in ROWS.items():
        write_rows(name, rows, folder / f"{name}.parquet", {"model_sha256": "ab"})
    (folder / DICTIONARY).write_text(dictionary_csv())
    return folder


@pytest.fixture
def database(folder: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database, moved to where there are no tables."""
    write_database(folder)
    (folder / "cohort.duckdb").rename(tmp_path / "moved.duckdb")
    shutil.rmtree(folder)
    with duckdb.connect(tmp_path / "moved.duckdb", read_only=True) as connection:
        yield connection


def test_tables_are_copied_with_their_columns_and_order(database: duckdb.DuckDBPyConnection) -> None:
    for name in GATHERED:
        assert [column for column, *_ in database.table(name).description] == TABLES[name].names
    assert database.sql("SELECT study_id, flags FROM scans").fetchall() == [
        ("a", ["few_slices", "no_mvo"]),
        ("b", []),
        ("c", ["no_myocardium"]),
        ("r", []),
    ]
    assert database.sql("SELECT unit FROM dictionary WHERE \"column\" = 'spacing_mm'").fetchall() == [("mm",)]
    assert dict(database.sql("FROM metadata").fetchall())["model_sha256"] == "ab"


def test_scans_flags_has_a_row_for_each_flag(database: duckdb.DuckDBPyConnection) -> None:
    expected = [("a", "few_slices"), ("a", "no_mvo"), ("c", "no_myocardium")]
    assert database.sql("FROM scans_flags").fetchall() == expected


def test_segments_wide_has_a_column_for_each_measure_of_each_segment(database: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT study_id, scar_percent_1, scar_percent_17, transmurality_3 FROM segments_wide"
    assert database.sql(query).fetchall() == [("a", 0.5, 8.5, None)]


def test_by_group_counts_failures_and_leaves_the_undefined_out_of_means(database: duckdb.DuckDBPyConnection) -> None:
    query = 'SELECT "group", found, measured, failed, with_scar, scar_percent_lv_mean FROM by_group'
    assert database.sql(query).fetchall() == [("drug", 4, 3, 1, 1, 2.0), (None, 1, 1, 0, 0, None)]


def test_by_group_counts_a_rejected_study_as_measured_and_leaves_it_out_of_the_rest(
    database: duckdb.DuckDBPyConnection,
) -> None:
    query = "SELECT measured, rejected, with_scar, scar_percent_lv_median FROM by_group WHERE \"group\" = 'drug'"
    assert database.sql(query).fetchall() == [(3, 1, 1, 2.0)]


def test_a_study_without_a_label_counts_once_in_every_view(database: duckdb.DuckDBPyConnection) -> None:
    for label in ("site", "group", "visit"):
        assert database.sql(f"SELECT sum(found) FROM by_{label}").fetchall() == [(5,)]


def test_equal_tables_give_equal_rows_in_equal_order_and_nothing_else_is_left(folder: Path) -> None:
    contents: list[list[list[Any]]] = []
    for _ in range(2):
        write_database(folder)
        with duckdb.connect(folder / "cohort.duckdb", read_only=True) as connection:
            names = [name for (name,) in connection.sql("SHOW TABLES").fetchall()]
            contents.append([connection.table(name).fetchall() for name in names])
    assert contents[0] == contents[1]
    assert len(contents[0]) == len(GATHERED) + 2 + 5
    names = {path.name for path in folder.iterdir()}
    assert names == {*(f"{name}.parquet" for name in GATHERED), DICTIONARY, "cohort.duckdb"}


def test_a_text_of_the_input_is_never_run_as_sql(folder: Path) -> None:
    hostile = "'); DROP TABLE scans; --"
    write_rows("series", [{"study_id": "a", "description": hostile, "chosen": True}], folder / "series.parquet", {})
    write_rows("scans", ROWS["scans"], folder / "scans.parquet", {"model_sha256": hostile})
    write_database(folder)
    with duckdb.connect(folder / "cohort.duckdb", read_only=True) as connection:
        assert connection.sql("SELECT description FROM series").fetchall() == [(hostile,)]
        assert dict(connection.sql("FROM metadata").fetchall())["model_sha256"] == hostile
        assert connection.sql("SELECT count(*) FROM scans").fetchall() == [
            (read_table(folder / "scans.parquet").num_rows,)
        ]


@pytest.mark.parametrize("name", ["a\\b", "a'b;c", "[1]{a,b}*", "ü$HOME"])
def test_a_folder_may_have_any_name(folder: Path, name: str) -> None:
    odd = folder.with_name(name)
    folder.rename(odd)
    write_database(odd)
    with duckdb.connect(str(shutil.copy(odd / "cohort.duckdb", odd.with_name("plain.duckdb"))), read_only=True) as told:
        assert told.execute("SELECT count(*) FROM scans").fetchone() != (0,)
    assert not [path for path in odd.parent.iterdir() if path.name not in (name, "plain.duckdb")]


def test_a_folder_with_a_question_mark_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="with a question mark in its path"):
        gather([tmp_path / "nothing"], tmp_path / "a?b")
    assert not (tmp_path / "a?b").exists()
