"""The report's follow-up: patients' change between two visits, in words and lines."""

from pathlib import Path

from made_cohort import METADATA
from table_rows import write_rows

from scarnet_cli.gather.follow_up import read_follow_up
from scarnet_cli.report.follow_up import visit_changes


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
    (visits,) = visit_changes(
        read_follow_up(tmp_path / "scans.parquet"), [{"myocardium_g": None, **row} for row in scans]
    )
    assert (visits.first, visits.later, visits.patients) == ("baseline", "month 3", 3)
    assert visits.apart == "90 days apart (median; 90 to 90)"
    (figure,) = visits.figures
    # mean -2, SD 2, t = 4.303 at two degrees of freedom: 4.303 x 2 / sqrt(3) = 4.97
    assert figure.summary == "3 patients, mean change -2.0 % (95 % interval -7.0 to +3.0)"
    assert figure.svg.count("<line") >= 3


def test_without_pairs_there_is_nothing_to_draw(tmp_path: Path) -> None:
    write_rows("scans", [{"study_id": "a", "patient": "P", "visit": "v1"}], tmp_path / "scans.parquet", METADATA)
    assert visit_changes(read_follow_up(tmp_path / "scans.parquet"), []) == ()
