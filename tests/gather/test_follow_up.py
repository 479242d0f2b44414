"""Visits of one patient compared: in their order, each once, and never where nobody can tell which study counts."""

from pathlib import Path
from typing import Any

import pytest
from made_cohort import METADATA, write_tables
from table_rows import write_rows

from scarnet_cli.gather.accounting import Accounting
from scarnet_cli.gather.carry_decisions import carry_decisions
from scarnet_cli.gather.follow_up import compare_visits
from scarnet_cli.tables.parquet import read_table


def scan(study: str, patient: str | None, visit: str | None, day: str | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 (cells)
    return {"study_id": study, "patient": patient, "visit": visit, "study_date": day, **more}


def pairs(folder: Path, *scans: dict[str, Any]) -> list[tuple[str, str, int | None]]:
    path = folder / "scans.parquet"
    write_rows("scans", scans, path, METADATA)
    return [(row.first_study_id, row.study_id, row.days_between) for row in compare_visits(path).rows]


def test_a_later_visit_is_compared_with_the_first_by_date(tmp_path: Path) -> None:
    before = scan("a", "P1", "post", "2025-01-30", scar_ml=10.0, myocardium_g=100.0, group="drug", mvo_ml=1.0)
    after = scan("b", "P1", "pre", "2025-03-01", scar_ml=7.5, myocardium_g=104.0)
    write_rows("scans", [after, before], tmp_path / "scans.parquet", METADATA)
    (row,) = compare_visits(tmp_path / "scans.parquet").rows
    assert (row.patient, row.first_study_id, row.study_id, row.first_visit, row.visit) == (
        "P1",
        "a",
        "b",
        "post",
        "pre",
    )
    assert (row.days_between, row.group) == (30, "drug")
    assert (row.change.scar_ml, row.change.myocardium_g, row.change.mvo_ml) == (-2.5, 4.0, None)


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (("follow-up", "baseline"), "ba"),
        (("post", "pre"), "ba"),
        (("visit 2", "visit 10"), "ab"),
        (("12 months", "acute"), "ba"),
        (("V1", "v2"), "ab"),
    ],
)
def test_without_dates_visits_come_in_the_order_of_their_labels(
    tmp_path: Path, labels: tuple[str, str], order: str
) -> None:
    assert pairs(tmp_path, scan("a", "P", labels[0], "2025-01-01"), scan("b", "P", labels[1])) == [(*order, None)]


def test_each_of_several_later_visits_is_compared_with_the_first(tmp_path: Path) -> None:
    visits = [scan(study, "P", f"v{study}", f"202{study}-01-01") for study in "123"]
    assert pairs(tmp_path, *visits) == [("1", "2", 365), ("1", "3", 730)]


def test_one_visit_no_label_and_rejected_studies_give_no_row(tmp_path: Path) -> None:
    alone = [scan("a", "P1", "v1"), scan("b", "P2", None), scan("c", "P2", "v2"), scan("d", None, "v1")]
    assert pairs(tmp_path, *alone, scan("e", None, "v2"), scan("f", "P1", "v2", reviewed="reject")) == []


def test_a_visit_of_two_studies_is_named_and_not_compared_until_one_is_rejected(tmp_path: Path) -> None:
    scans = [scan("a", "P", "v1"), scan("b", "P", "v1"), scan("c", "P", "v2"), scan("d", "P", "v3")]
    assert pairs(tmp_path, *scans) == [("c", "d", None)]
    assert compare_visits(tmp_path / "scans.parquet").repeated == 1
    summary = Accounting(4, 4, 0, "", repeated_visits=1).summary.splitlines()
    assert summary[0] == "4 studies: 4 measured, 0 failed."
    assert summary[1].startswith("1 visit has several measured studies of one patient and cannot be compared")
    assert pairs(tmp_path, *scans[1:], scans[0] | {"reviewed": "reject"}) == [("b", "c", None), ("b", "d", None)]


def test_a_review_that_is_carried_in_later_makes_the_table_anew(tmp_path: Path) -> None:
    write_tables(tmp_path, [scan("a", "P", "v1"), scan("b", "P", "v2")])
    (tmp_path / "review.csv").write_text("study_id,decision\na,accept\n")
    carry_decisions(tmp_path, tmp_path / "review.csv")
    assert read_table(tmp_path / "follow_up.parquet")["study_id"].to_pylist() == ["b"]
    (tmp_path / "review.csv").write_text("study_id,decision\na,reject\n")
    carry_decisions(tmp_path, tmp_path / "review.csv")
    assert read_table(tmp_path / "follow_up.parquet").num_rows == 0
