"""Columns of the user's own: their types, and their way from a samplesheet to every form of `scans`."""

import csv
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from table_rows import write_rows

from scarnet_cli.diff.diff import diff_runs
from scarnet_cli.errors import CohortError
from scarnet_cli.gather.carry_decisions import carry_decisions
from scarnet_cli.gather.gather import gather
from scarnet_cli.tables.columns import record_of
from scarnet_cli.tables.parquet import read_rows, read_table, to_arrow, write_arrow
from scarnet_cli.tables.scans import ScanRow
from scarnet_cli.tables.schema import TABLES
from scarnet_cli.tables.studies import StudyRow
from scarnet_cli.tables.user_columns import typed, with_user_columns


@pytest.mark.parametrize(
    ("texts", "kind", "values"),
    [
        (["63", "", "-7"], pa.int64(), [63, None, -7]),
        (["63", "NA", "nan", "#N/A"], pa.int64(), [63, None, None, None]),
        (["63", "70.5", "1.5e-3", ".5", "3."], pa.float64(), [63.0, 70.5, 0.0015, 0.5, 3.0]),
        (["63,5", "70", ""], pa.float64(), [63.5, 70.0, None]),
        (["63,5", "70.5"], pa.string(), ["63,5", "70.5"]),
        (["1,234", "2,500"], pa.string(), ["1,234", "2,500"]),  # thousands, or a decimal comma: nobody can tell
        (["TRUE", "false", ""], pa.bool_(), [True, False, None]),
        (["true", "1"], pa.string(), ["true", "1"]),
        (["007", "12"], pa.string(), ["007", "12"]),
        (["12E4", "5"], pa.string(), ["12E4", "5"]),
        (["9" * 19, "1"], pa.string(), ["9" * 19, "1"]),
        (["63", "about 70", "NA"], pa.string(), ["63", "about 70", "NA"]),
        (["inf", "1"], pa.string(), ["inf", "1"]),
        (["", ""], pa.string(), [None, None]),
        (["NA", ""], pa.string(), ["NA", None]),
    ],
)
def test_a_column_is_typed_by_all_of_its_values(texts: list[str], kind: pa.DataType, values: list[object]) -> None:
    column = typed(texts)
    assert (column.type, column.to_pylist()) == (kind, values)


def fragment(folder: Path, cells: dict[str, dict[str, str]], measured: Sequence[str]) -> Path:
    """Write what INDEX and QUANTIFY leave of some studies with cells of the user's own; return the directory."""
    rows = [record_of(StudyRow, {"study_id": study, "batch": "batch-1"}) for study in cells]
    folder.mkdir(parents=True)
    write_arrow(
        "studies", with_user_columns(to_arrow(StudyRow, rows), list(cells.values())), folder / "studies.parquet", {}
    )
    scans = [{"study_id": study, "scar_ml": 2.0} for study in measured]
    write_rows("scans", scans, folder / "scans.parquet", {})
    lost = [
        {"study_id": study, "stage": "crop", "code": "heart_not_found", "message": "None."}
        for study in cells.keys() - set(measured)
    ]
    write_rows("failures", lost, folder / "failures.parquet", {})
    return folder


# One named as a column of `studies`, and two as what gathering itself adds to a view.
CELLS = {
    "a": {"age": "63", "batch": "x", "filename": "", "fragment": "1.5", "order": "true"},
    "b": {"age": "", "batch": "y", "filename": "", "fragment": "2", "order": "false"},
    "c": {"age": "70", "batch": "z", "filename": "", "fragment": "3", "order": ""},
}


def test_user_columns_stand_last_in_every_form_of_scans_with_their_types(tmp_path: Path) -> None:
    out = tmp_path / "tables"
    gather([fragment(tmp_path / "in", CELLS, ["a", "b"])], out, csv=True)
    scans = read_table(out / "scans.parquet")
    assert scans.schema.names == [*TABLES["scans"].names, *CELLS["a"]]
    kinds = [pa.int64(), pa.string(), pa.string(), pa.float64(), pa.bool_()]
    assert [scans.schema.field(name).type for name in CELLS["a"]] == kinds
    rows = [(63, "x", None, 1.5, True), (None, "y", None, 2.0, False)]
    assert [tuple(row.values()) for row in scans.select(list(CELLS["a"])).to_pylist()] == rows
    assert read_table(out / "failures.parquet").schema.equals(TABLES["failures"])
    assert [row.study_id for row in read_rows(ScanRow, out / "scans.parquet")] == ["a", "b"]
    with duckdb.connect(str(out / "cohort.duckdb"), read_only=True) as cohort:
        assert cohort.execute('SELECT age, batch, filename, fragment, "order" FROM scans').fetchall() == rows
    with (out / "scans.csv").open(newline="") as file:
        assert [(row["age"], row["fragment"]) for row in csv.DictReader(file)] == [("63", "1.5"), ("", "2")]
    with (out / "dictionary.csv").open(newline="") as file:
        told = {row["column"]: row for row in csv.DictReader(file) if row["table"] == "scans"}
    assert (told["age"]["type"], told["age"]["meaning"]) == ("int64", "Your own column, from the samplesheet.")


def test_a_review_keeps_user_columns_and_diff_copes_with_other_ones(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    gather([fragment(tmp_path / "in", CELLS, ["a", "b", "c"])], old)
    gather([fragment(tmp_path / "in_2", {study: {"weight": "70.5"} for study in CELLS}, ["a", "b", "c"])], new)
    (tmp_path / "decisions.csv").write_text("study_id,decision\na,accept\n")
    carry_decisions(old, tmp_path / "decisions.csv")
    scans = read_table(old / "scans.parquet")
    assert scans["age"].to_pylist() == [63, None, 70]
    assert scans["reviewed"].to_pylist() == ["accept", None, None]
    assert diff_runs(old, new).counts["changed"] == 1


def test_the_samplesheets_of_several_indexes_go_together_if_their_types_do(tmp_path: Path) -> None:
    first = fragment(tmp_path / "first", {"a": {"age": "63", "arm": "A"}}, ["a"])
    second = fragment(tmp_path / "second", {"b": {"age": "70.5"}}, ["b"])
    gather([first, second], tmp_path / "out")
    scans = read_table(tmp_path / "out/scans.parquet")
    assert scans.select(["age", "arm"]).to_pylist() == [{"age": 63.0, "arm": "A"}, {"age": 70.5, "arm": None}]
    third = fragment(tmp_path / "third", {"c": {"age": "old"}}, ["c"])
    with pytest.raises(CohortError, match="Two samplesheets give a column of yours different types"):
        gather([first, third], tmp_path / "out")
