"""A reader's decisions: checked row by row, carried into scans, and nothing else changed."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from made_cohort import METADATA, write_tables
from table_rows import write_rows

from scarnet_cli.cli.gather import gather as command
from scarnet_cli.errors import InputError
from scarnet_cli.gather.carry_decisions import carry_decisions
from scarnet_cli.gather.review import read_decisions, with_decisions
from scarnet_cli.tables.parquet import read_table, table_metadata
from scarnet_cli.tables.schema import TABLES

KNOWN = frozenset({"a", "b", "c"})


def sheet(folder: Path, text: str) -> Path:
    path = folder / "decisions.csv"
    path.write_text(text)
    return path


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    failures = [{"study_id": "c", "stage": "convert", "code": "broken", "message": "It is broken; send it again."}]
    rows = [{"study_id": "b", "scar_ml": 3.0, "reviewed": "accept"}, {"study_id": "a", "flags": ["no_scar"]}]
    write_tables(tmp_path / "tables", rows, failures=failures)
    return tmp_path / "tables"


def test_decisions_are_read_with_or_without_the_optional_columns(tmp_path: Path) -> None:
    assert read_decisions(sheet(tmp_path, "study_id,decision\na,accept\nb,Reject\n"), KNOWN) == {
        "a": "accept",
        "b": "reject",
    }
    text = 'study_id,decision,reader,comment,date\r\na,accept,xy,"base, ""cut""",2026-11-24\r\n'
    assert read_decisions(sheet(tmp_path, text), KNOWN) == {"a": "accept"}


def test_every_wrong_row_is_listed_in_one_message(tmp_path: Path) -> None:
    text = "study_id,decision\na,accept\nz,accept\nb,maybe\na,reject\ny,\nc,reject\n"
    with pytest.raises(InputError) as caught:
        read_decisions(sheet(tmp_path, text), KNOWN)
    assert str(caught.value).splitlines() == [
        "4 of the review's 6 rows are wrong:",
        "  line 3: its study_id is not a study of this cohort",
        "  line 4: its decision is neither 'accept' nor 'reject'",
        "  line 5: its study_id stands in line 2 too; each must differ",
        "  line 6: its study_id is not a study of this cohort; its decision is neither 'accept' nor 'reject'",
    ]


@pytest.mark.parametrize("changed", ["1", "1.00E+05", "1,23E+11"])
def test_a_name_that_a_spreadsheet_changed_is_told_as_one(tmp_path: Path, changed: str) -> None:
    (tmp_path / "review.csv").write_text(f"study_id;decision\n{changed};accept\n")
    with pytest.raises(InputError, match="is not a study of this cohort; spreadsheets change names like 001 and 1E5"):
        read_decisions(tmp_path / "review.csv", {"001", "1E5"})


def test_a_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it needs the columns study_id, decision and may have reader, comment, date"):
        read_decisions(sheet(tmp_path, "study,decision\na,accept\n"), KNOWN)


def test_the_review_replaces_what_was_decided_before_and_keeps_all_else(tables: Path, tmp_path: Path) -> None:
    before = read_table(tables / "scans.parquet")
    # c failed this time; a decision about it is no error, and has no row to go to
    assert carry_decisions(tables, sheet(tmp_path, "study_id,decision\nc,accept\na,reject\n")) == 1
    after = read_table(tables / "scans.parquet")
    assert after.select(["study_id", "reviewed"]).to_pylist() == [
        {"study_id": "a", "reviewed": "reject"},
        {"study_id": "b", "reviewed": None},
    ]
    assert after.schema.equals(TABLES["scans"])
    assert after.drop_columns("reviewed").equals(before.drop_columns("reviewed"))
    assert table_metadata(after) == table_metadata(before)
    assert table_metadata(after)["creation_time"] == METADATA["creation_time"]


def test_wrong_decisions_leave_the_table_as_it_was(tables: Path, tmp_path: Path) -> None:
    before = (tables / "scans.parquet").read_bytes()
    with pytest.raises(InputError, match="1 of the review's 2 rows are wrong"):
        carry_decisions(tables, sheet(tmp_path, "study_id,decision\na,reject\nz,accept\n"))
    assert (tables / "scans.parquet").read_bytes() == before
    assert sorted(path.name for path in tables.iterdir()) == sorted(
        f"{name}.parquet" for name in ("scans", "segments", "series", "failures")
    )


def test_a_table_of_an_older_release_gets_the_column(tables: Path) -> None:
    old = read_table(tables / "scans.parquet").drop_columns("reviewed")
    assert with_decisions(old, {"b": "reject"})["reviewed"].to_pylist() == [None, "reject"]


def test_gather_carries_the_decisions(tmp_path: Path) -> None:
    write_rows("studies", [{"study_id": "a"}], tmp_path / "index" / "studies.parquet", {})
    write_rows("scans", [{"study_id": "a"}], tmp_path / "quantify" / "scans.parquet", {})
    review = sheet(tmp_path, "study_id,decision\na,accept\n")
    arguments = [str(tmp_path / "index"), str(tmp_path / "quantify"), "--reviewed", str(review)]
    result = CliRunner().invoke(command, [*arguments, "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert read_table(tmp_path / "out" / "scans.parquet")["reviewed"].to_pylist() == ["accept"]
