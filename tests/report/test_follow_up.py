"""The report's follow-up: patients' change between two visits, in words and lines."""

from pathlib import Path

import pytest
from made_cohort import METADATA
from table_rows import write_rows

from scarnet_cli.gather.derived import write_derived
from scarnet_cli.report.follow_up import RepeatedVisit, read_changes, repeated_visits


def test_two_visits_are_drawn_with_mean_change_and_days(tmp_path: Path) -> None:
    scans = [
        {
            "study_id": f"{patient}{visit}",
            "patient": patient,
            "visit": visit,
            "study_date": day,
            "scar_percent_lv": scar,
        }
        for patient, before, after in (("P1", 10.0, 8.0), ("P2", 20.0, 16.0), ("P3", 5.0, 5.0))
        for visit, day, scar in (("baseline", "2025-01-01", before), ("month 3", "2025-04-01", after))
    ]
    write_rows("scans", scans, tmp_path / "scans.parquet", METADATA)
    write_derived(tmp_path, {}, METADATA, csv=False)
    (visits,) = read_changes(tmp_path, [{"myocardium_g": None, **row} for row in scans])
    assert (visits.first, visits.later, visits.patients) == ("baseline", "month 3", 3)
    assert visits.apart == "90 days apart (median; 90 to 90)"
    (figure,) = visits.figures
    # mean -2, SD 2, t = 4.303 at two degrees of freedom: 4.303 x 2 / sqrt(3) = 4.97
    assert figure.summary == "3 patients, mean change -2.0 percentage points (95 % interval -7.0 to +3.0)"
    assert figure.svg.count("<line") >= 3


@pytest.mark.parametrize("study", ["b", "unknown"])
def test_without_the_table_or_a_study_of_it_there_is_nothing_to_draw(tmp_path: Path, study: str) -> None:
    scans = [{"study_id": "a"}, {"study_id": study}]
    assert read_changes(tmp_path, scans) == ()
    row = {"study_id": "c", "first_study_id": "a", "patient": "P", "first_visit": "v1", "visit": "v2"}
    write_rows("follow_up", [row], tmp_path / "follow_up.parquet", METADATA)
    assert read_changes(tmp_path, scans) == ()


def test_visits_of_several_studies_are_named() -> None:
    labels = (
        ("b", "P2", "v1"),
        ("a", "P2", "v1"),
        ("c", "P1", "v1"),
        ("d", None, "v1"),
        ("e", None, "v1"),
        ("f", "P1", None),
    )
    scans = [{"study_id": study, "patient": patient, "visit": visit} for study, patient, visit in labels]
    assert repeated_visits(scans) == (RepeatedVisit("P2", "v1", ("a", "b")),)
