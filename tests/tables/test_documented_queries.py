"""The queries in docs/output.md, run as they stand there, on a cohort whose answer is worked out by hand."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
from table_rows import write_rows

from scarnet_cli.tables.csv import write_csv
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


@pytest.mark.parametrize("words", ["R, on the tables as CSV", "R with arrow"])
def test_r(in_place: Callable[[str], str], tmp_path: Path, words: str) -> None:
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed; set-up leaves it out (Debian's r-base-core and r-cran-dplyr: 70 MB)")
    write_csv(tmp_path / "tables" / "scans.parquet")
    code = in_place(code_after(words, "r")) + 'write.csv(result, row.names = FALSE, na = "")'
    done = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, check=False)
    if lacking := re.search(r"there is no package called \W*(\w+)", done.stderr):
        pytest.skip(f"R has no package {lacking[1]}")
    header, *rows = done.stdout.replace('"', "").splitlines()
    assert header == "group,studies,scar_percent_lv", done.stderr
    assert [tuple(row.split(",")) for row in rows] == [tuple(map(_cell, row)) for row in ANSWER]


def _cell(value: object) -> str:
    """Return a value as R writes it: nothing for null, a whole number without a point."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def test_share_of_flags(in_place: Callable[[str], str], tmp_path: Path) -> None:
    query = code_after("### Views of cohort.duckdb", "sql")
    with duckdb.connect(tmp_path / "tables" / "cohort.duckdb", read_only=True) as connection:
        rows = connection.sql(in_place(query)).fetchall()
    assert rows[0] == ("no_remote", 2, pytest.approx(200 / 7))
    assert {row[:2] for row in rows[1:]} == {("few_slices", 1), ("no_myocardium", 1)}
