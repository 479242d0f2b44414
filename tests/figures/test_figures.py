"""The figures of a run: the same files each time, the right studies, and words where there is nothing to draw."""

import csv
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from html_tags import check_page, text
from made_cohort import write_tables
from small_cohort import FAILURES, HEALTHY, SCARRED, SEGMENTS

from scarnet_cli.cli.figures import figures as command
from scarnet_cli.errors import InputError
from scarnet_cli.figures.paper_cohort import read_paper_cohort
from scarnet_cli.figures.plates import plates
from scarnet_cli.figures.table_one import Line, table_one
from scarnet_cli.files import write_json
from scarnet_cli.tables.csv import write_csv

COLUMNS = {"blood_pool_ml": 100.0, "myocardium_g": 105.0, "myocardium_ml": 100.0, "mvo_percent_lv": 0.0, "mvo_ml": 0.0}


def scan(name: str, group: str | None, scar: float, **others: Any) -> dict[str, Any]:  # noqa: ANN401 (cells)
    return {
        "study_id": name,
        "group": group,
        "scar_percent_lv": scar,
        "scar_ml": scar,
        "flags": [],
        **COLUMNS,
        **others,
    }


def write_run(run: Path, scans: list[dict[str, Any]], **own: list[Any]) -> Path:
    """Write a run's tables, with columns of the user's own."""
    segments = [
        {"study_id": row["study_id"], "segment": n, "scar_percent": 2 * row["scar_percent_lv"] if n == 1 else 0.0}
        for row in scans
        for n in range(1, 17)
    ]
    write_tables(run / "tables", scans, segments, [], FAILURES)
    path = run / "tables" / "scans.parquet"
    table = pq.read_table(path)
    for name, values in own.items():
        table = table.append_column(name, pa.array(values))
    pq.write_table(table, path)
    return run


TWO_GROUPS = [
    *(scan(f"a{n}", "drug", 10.0 + n) for n in range(4)),
    *(scan(f"b{n}", "placebo", 20.0 + n, flags=["no_remote"] if n else []) for n in range(4)),
    scan("c", None, 50.0),
    scan("r", "drug", 99.0, reviewed="reject"),
]


def words_of(run: Path, by: str | None = None) -> dict[str, str]:
    """Return the words of every figure, by its name; nothing may fail on the way to its files' content."""
    made = list(plates(read_paper_cohort(run, by)))
    assert all(plate.svg.startswith("<svg") for plate in made)
    return {plate.name: " ".join(plate.words) for plate in made}


def lines_of(run: Path, by: str | None = None) -> dict[tuple[str, str], Line]:
    return {(line.label, line.level or line.unit): line for line in table_one(read_paper_cohort(run, by)).lines}


def test_flow_counts_every_study_once(tmp_path: Path) -> None:
    run = write_run(tmp_path, TWO_GROUPS)
    flow = next(plates(read_paper_cohort(run, None))).svg
    for words in (
        "Studies found (n = 12)",
        "Left out (n = 1)",
        "No LGE stack (n = 1)",
        "With LGE images to measure (n = 11)",
        "Failed (n = 1)",
        "Odd, while measuring it (n = 1)",
        "Measured (n = 10)",
        "Rejected by a reader (n = 1)",
        "In the analysis (n = 9)",
        "of these flagged: 3",
        ">drug<",
        ">none given<",
    ):
        assert words in flow
    assert flow.count(">n = 4<") == 2


def test_rejected_studies_are_in_no_group_and_no_mean(tmp_path: Path) -> None:
    run = write_run(tmp_path, TWO_GROUPS)
    # the shift between 10 to 13 and 20 to 23: 10, of 16 differences from 7 to 13
    assert (
        "drug (n = 4): median 11.5; placebo (n = 4): median 21.5. 1 study has no group."
        in words_of(run)["distribution_scar_percent_lv"]
    )
    scar = lines_of(run)["Scar", "ml"]
    assert scar.cells == ("20.0 (12.0 to 22.0)", "11.5 (10.8 to 12.2)", "21.5 (20.8 to 22.2)")
    assert (scar.difference, scar.p, scar.test) == (
        "+10.00 (+7.00 to +13.00)",
        "p = 0.029",
        "Mann-Whitney U; Hodges-Lehmann shift",
    )


def test_own_columns_describe_the_studies_and_group_them(tmp_path: Path) -> None:
    arm = [n % 2 for n in range(len(TWO_GROUPS))]
    own: dict[str, list[Any]] = {
        "arm": arm,
        "age": [50.0 + n for n in range(9)] + [None],
        "sex": ["F", "M"] * 5,
        "note": [f"note {n}" * (n < 9) or None for n in range(10)],
        "diabetes": [True] * 3 + [None] * 7,
    }
    lines = lines_of(write_run(tmp_path, TWO_GROUPS, **own), "arm")
    assert lines["age", ""].cells == ("54.0 (2.7)", "54.0 (3.2)", "54.0 (2.6)")
    assert lines["age", ""].test == "Welch's t; difference of means"
    assert lines["sex", "F"].cells == ("5 (56 %)", "5 (100 %)", "0 (0 %)")
    assert lines["sex", ""].p == "p = 0.008"  # 1 of 126 ways
    assert lines["diabetes", "True"].cells == ("3 (100 %)", "2 (100 %)", "1 (100 %)")
    assert lines["diabetes", ""].missing == 6
    assert ("arm", "") not in lines
    assert ("note", "") in lines  # nine texts can still be counted


def test_one_group_no_scar_no_reference_and_no_site_are_said(tmp_path: Path) -> None:
    words = words_of(write_run(tmp_path, [scan(f"a{n}", "drug", 0.0) for n in range(2)]))
    assert words["distribution_scar_percent_lv"] == (
        "All studies are in one group. Nothing to draw: it is 0 in 2 studies."
    )
    assert words["agreement_scar_percent_lv_scatter"] == "Nothing to draw. No study has a reference to compare with."
    assert words["bullseye_mean"].endswith("No study has scar in any segment.")
    assert words["drift_site"].startswith("Nothing to draw. No two sites are known")
    assert words["drift_date"].startswith("Nothing to draw. No two studies have a date")


def test_a_group_of_two_is_drawn_and_not_tested(tmp_path: Path) -> None:
    words = words_of(write_run(tmp_path, TWO_GROUPS[2:6]))
    assert "No test: fewer than 3 studies in drug, placebo." in words["distribution_scar_percent_lv"]


@pytest.mark.parametrize("rows", [[], [scan("r", "drug", 9.0, reviewed="reject")]])
def test_a_run_without_studies_to_show_has_every_figure(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    words = words_of(write_run(tmp_path, rows))
    whole = words_of(write_run(tmp_path / "whole", TWO_GROUPS))
    assert list(words) == list(whole)  # the same files each time
    assert words["bullseye_frequency"] == "Nothing to draw: no study has segments."
    assert table_one(read_paper_cohort(tmp_path, None)).csv.startswith("variable,level,unit,statistic,All (n = 0)")


def test_a_slope_is_given_over_the_dates(tmp_path: Path) -> None:
    dates = [f"{2020 + n}-01-01" for n in range(9)] + [None]
    dated = [row | {"study_date": day} for row, day in zip(TWO_GROUPS, dates, strict=True)]
    words = words_of(write_run(tmp_path, dated))["drift_date"]
    # 10 to 13, 20 to 23 and 50 at -4 to 4 years from the middle: 224 / 60
    assert words.startswith("Scar: 9 studies. Slope by least squares +3.73 % a year")


def test_dates_that_deidentification_moved_tell_no_drift(tmp_path: Path) -> None:
    run = write_run(tmp_path, [row | {"study_date": f"20{n + 10}-01-01"} for n, row in enumerate(TWO_GROUPS)])
    write_json(run / "pipeline_info" / "parameters.json", {"deidentify": True})
    assert words_of(run)["drift_date"].startswith("Nothing to draw. --deidentify moved the dates")


def test_table_has_age_sex_and_measures_by_body_surface_from_the_headers(tmp_path: Path) -> None:
    facts = {"patient_age_years": 60.0, "patient_sex": "F", "bsa_m2": 2.0, "myocardium_g_m2": 52.5}
    run = write_run(tmp_path, [{**TWO_GROUPS[0], **facts}, {**TWO_GROUPS[1], **facts, "patient_age_years": 70.0}])
    lines = lines_of(run)
    assert lines["Age", "years"].cells[0] == "65.0 (7.1)"
    assert lines["Sex", "F"].cells[0] == "2 (100 %)"
    assert lines["Myocardial mass", "g/m²"].cells[0] == "52 (0)"


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("gruop", "no column 'gruop'; did you mean 'group'?"),
        ("study_id", "10 different values"),
        ("flags", "no value"),
        ("site", "no value"),
    ],
)
def test_a_column_that_cannot_group_is_refused(tmp_path: Path, by: str, words: str) -> None:
    scans = [*TWO_GROUPS, *(scan(f"d{n}", "drug", 1.0) for n in range(3))] if by == "study_id" else TWO_GROUPS
    with pytest.raises(InputError, match=words.replace("10", str(len(scans))).replace("?", r"\?")):
        read_paper_cohort(write_run(tmp_path, scans), by)


def test_command_writes_every_file_and_names_what_it_could_not_draw(tmp_path: Path) -> None:
    write_tables(tmp_path / "tables", [SCARRED, HEALTHY], SEGMENTS, [], FAILURES)
    for name in ("scans", "segments", "failures"):
        write_csv(tmp_path / "tables" / f"{name}.parquet")
        (tmp_path / "tables" / f"{name}.parquet").unlink()  # CSV is read where there is no Parquet
    done = CliRunner().invoke(command, [str(tmp_path), "--out", str(tmp_path / "paper")], catch_exceptions=False)
    assert done.exit_code == 0
    assert "drift_site: Nothing to draw." in done.output
    names = {path.name for path in (tmp_path / "paper").iterdir()}
    assert {"index.html", "table1.csv", "bullseye.csv", "flow.svg", "flow.png", "drift_date.png"} <= names
    page = (tmp_path / "paper" / "index.html").read_text()
    check_page(page)
    assert "With scar n (%), 2 missing" in text(page)  # their rows have no scar_ml
    rows = list(csv.DictReader((tmp_path / "paper" / "bullseye.csv").read_text().splitlines()))
    assert (rows[0]["name"], rows[0]["n all"], rows[0]["mean_percent all"]) == ("basal anterior", "1", "60")
