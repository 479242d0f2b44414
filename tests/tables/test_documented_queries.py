"""The queries in docs/output.md, run as they stand there, on a cohort whose answer is worked out by hand."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
from table_rows import write_rows

from scarnet_cli.tables.database import write_database
from scarnet_cli.tables.dictionary import DICTIONARY, GATHERED, dictionary_csv

PAGE: Final = (Path(__file__).parents[2] / "docs" / "output.md").read_text()
SCANS: Final[list[dict[str, Any]]] = [
    {"study_id": "a", "group": "placebo", "scar_percent_lv": 10.0, "flags": ["no_remote"]},
    {"study_id": "b", "group": "drug", "scar_percent_lv": 4.0},
    {"study_id": "c", "group": "drug", "scar_percent_lv": 1.0},
    {"study_id": "d", "group": "drug", "scar_percent_lv": 99.0, "flags": ["no_remote", "few_slices"]},
    {"study_id": "e", "scar_percent_lv": None, "flags": ["no_myocardium"]},
    {"study_id": "f", "scar_percent_lv": 7.0, "reviewed": "accept"},
    {"study_id": "g", "group": "drug", "scar_percent_lv": 80.0, "reviewed": "reject"},
]
ANSWER: Final = [("drug", 2, 2.5), ("placebo", 1, 10.0), (None, 2, 7.0)]


def code_after(words: str, language: str) -> str:
    """Return the page's first block of code after a line that begins with these words."""
    found = re.search(rf"^{re.escape(words)}.*?^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None, f"docs/output.md has no {language} after '{words}'"
    return found[1]


@pytest.fixture
def in_place(tmp_path: Path) -> Callable[[str], str]:
    """Make the cohort, and return a function that puts its folder for OUT in a piece of code."""
    for name in GATHERED:
        write_rows(name, SCANS if name == "scans" else [], tmp_path / "tables" / f"{name}.parquet", {})
    (tmp_path / "tables" / DICTIONARY).write_text(dictionary_csv())
    write_database(tmp_path / "tables")
    return lambda code: code.replace("OUT/", f"{tmp_path}/")


def result_of(code: str) -> Any:  # noqa: ANN401 (a data frame of either library)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["result"]


def test_duckdb_on_parquet_and_in_the_database(in_place: Callable[[str], str], tmp_path: Path) -> None:
    code = code_after("DuckDB", "sql")
    assert duckdb.execute(in_place(code)).fetchall() == ANSWER
    with duckdb.connect(tmp_path / "tables" / "cohort.duckdb", read_only=True) as connection:
        assert connection.sql(code.replace("'OUT/tables/scans.parquet'", "scans")).fetchall() == ANSWER


def test_pandas(in_place: Callable[[str], str]) -> None:
    result = result_of(in_place(code_after("pandas", "python")))
    assert list(result.columns) == ["group", "studies", "scar_percent_lv"]
    rows = [tuple(row) for row in result.astype(object).where(result.notna(), None).to_numpy()]
    assert rows == ANSWER


def test_polars(in_place: Callable[[str], str]) -> None:
    pytest.importorskip("polars", reason="polars is not installed; it is not among the locked packages (55 MB)")
    result = result_of(in_place(code_after("polars", "python")))
    assert result.columns == ["group", "studies", "scar_percent_lv"]
    assert result.rows() == ANSWER


def test_share_of_flags(in_place: Callable[[str], str], tmp_path: Path) -> None:
    query = code_after("### Views of cohort.duckdb", "sql")
    with duckdb.connect(tmp_path / "tables" / "cohort.duckdb", read_only=True) as connection:
        rows = connection.sql(in_place(query)).fetchall()
    assert rows[0] == ("no_remote", 2, pytest.approx(200 / 7))
    assert {row[:2] for row in rows[1:]} == {("few_slices", 1), ("no_myocardium", 1)}
