"""The agreement of two readers over their studies, from values worked out by hand."""

from pathlib import Path
from typing import Any

import pytest
from table_rows import write_rows

from scarnet_cli.gather.readers import summarise_readers
from scarnet_cli.tables.readers import ReadersSummaryRow


def drawn(
    study: str, scar_ml: tuple[float, float], segments: tuple[list[str] | None, list[str] | None]
) -> dict[str, Any]:
    """Return a row of `readers` in which both hearts have 100 ml of myocardium."""
    row: dict[str, Any] = {"study_id": study, "first_reader": "anna", "second_reader": "ben"}
    for reader, volume, scarred in zip(("first", "second"), scar_ml, segments, strict=True):
        sizes = {"blood_pool_ml": 80.0, "myocardium_ml": 100.0, "myocardium_g": 105.0, "mvo_ml": 0.0}
        sizes |= {"scar_ml": volume, "scar_percent_lv": volume, "mvo_percent_lv": 0.0}
        row |= {f"{reader}_{name}": value for name, value in sizes.items()} | {f"{reader}_scar_segments": scarred}
    return row | {f"{region}_dice": 1.0 for region in ("blood_pool", "myocardium", "mvo")} | {"scar_dice": 0.5}


@pytest.fixture
def summary(tmp_path: Path) -> dict[str, ReadersSummaryRow]:
    """Return the rows of one pair by measure."""
    rows = [
        drawn("a", (10.0, 8.0), (["1", "2"], ["1"])),
        drawn("b", (20.0, 18.0), (["7"], ["7"])),
        drawn("c", (0.0, 0.0), ([], [])),
        drawn("d", (2.0, 0.0), (None, [])),
    ]
    write_rows("readers", rows, tmp_path / "readers.parquet", {})
    return {row.measure: row for row in summarise_readers(tmp_path / "readers.parquet")}


def test_numbers_have_icc_bias_and_limits(summary: dict[str, ReadersSummaryRow]) -> None:
    scar = summary["scar_percent_lv"]
    assert (scar.first_reader, scar.second_reader, scar.studies, scar.unit) == ("anna", "ben", 4, "percent")
    # differences 2, 2, 0, 2: mean 1.5, SD 1
    assert (scar.bias, scar.lower_limit, scar.upper_limit) == pytest.approx((1.5, 1.5 - 1.96, 1.5 + 1.96))
    assert scar.icc is not None
    assert scar.icc_low is not None
    assert scar.icc_high is not None
    assert 0.9 < scar.icc_low < scar.icc < scar.icc_high <= 1.0 or 0 < scar.icc_low < scar.icc < scar.icc_high
    assert scar.kappa is scar.dice_mean is None
    # every heart has the same mass
    assert (summary["myocardium_g"].icc, summary["myocardium_g"].bias) == (None, 0.0)


def test_questions_have_kappa_by_study_and_by_segment(summary: dict[str, ReadersSummaryRow]) -> None:
    present = summary["scar_present"]
    # yes-yes 2, yes-no 1, no-no 1: 0.75 agree, by chance 0.75 * 0.5 + 0.25 * 0.5 = 0.5
    assert (present.studies, present.agreed_percent, present.kappa) == pytest.approx((4, 75.0, 0.5))
    segments = summary["scar_segments"]  # of d one has no orientation
    # 51 segments: both 2, one 1, none 48; by chance 3 / 51 * 2 / 51 + 48 / 51 * 49 / 51
    chance = (3 * 2 + 48 * 49) / 51**2
    assert (segments.studies, segments.agreed_percent) == (3, pytest.approx(100 * 50 / 51))
    assert segments.kappa == pytest.approx((50 / 51 - chance) / (1 - chance))
    assert (summary["mvo_present"].kappa, summary["mvo_present"].agreed_percent) == (None, 100.0)


def test_dice_has_mean_and_quartiles(summary: dict[str, ReadersSummaryRow]) -> None:
    scar = summary["scar_dice"]
    assert (scar.dice_mean, scar.dice_median, scar.dice_lower_quartile, scar.dice_upper_quartile) == (0.5,) * 4
    assert summary["blood_pool_dice"].dice_mean == 1.0


def test_rejected_studies_do_not_count(tmp_path: Path) -> None:
    rows = [drawn("a", (10.0, 8.0), (["1"], ["1"])), drawn("b", (50.0, 0.0), (["1"], []))]
    write_rows("readers", rows, tmp_path / "readers.parquet", {})
    summary = {row.measure: row for row in summarise_readers(tmp_path / "readers.parquet", {"b"})}
    assert (summary["scar_ml"].studies, summary["scar_ml"].bias, summary["scar_dice"].studies) == (1, 2.0, 1)
    assert summarise_readers(tmp_path / "readers.parquet", {"a", "b"}) == []


def test_without_readers_there_is_no_row(tmp_path: Path) -> None:
    write_rows("readers", [], tmp_path / "readers.parquet", {})
    assert summarise_readers(tmp_path / "readers.parquet") == []
