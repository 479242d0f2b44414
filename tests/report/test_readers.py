"""The readers' section of the index."""

from pathlib import Path
from typing import Any

from html_tags import check_page, text
from made_cohort import METADATA
from table_rows import write_rows

from scarnet_cli.gather.carry_decisions import carry_decisions
from scarnet_cli.report.page import write_report
from scarnet_cli.tables.parquet import read_table


def write_readers(tables: Path) -> None:
    """Write one study of two readers, and the bias of its scar."""
    pair = {"first_reader": "anna", "second_reader": "ben"}
    sizes = {"scar_percent_lv": 10.0, "scar_ml": 10.0, "mvo_ml": 0.0, "mvo_percent_lv": 0.0}
    sizes |= {"myocardium_g": 100.0, "myocardium_ml": 95.0, "blood_pool_ml": 80.0}
    study: dict[str, Any] = {"study_id": "s1", **pair}
    study |= {f"{reader}_{name}": value for reader in ("first", "second") for name, value in sizes.items()}
    study |= {f"{region}_dice": 0.9 for region in ("blood_pool", "myocardium", "scar", "mvo")}
    write_rows("readers", [study | {"second_scar_percent_lv": 8.0}], tables / "readers.parquet", METADATA)
    number = {**pair, "measure": "scar_percent_lv", "unit": "percent", "studies": 1, "bias": 2.0}
    question = {**pair, "measure": "scar_present", "unit": "", "studies": 1, "agreed_percent": 100.0}
    statistics = {"icc": 0.91, "icc_low": 0.8, "icc_high": 0.97}, {"kappa": 0.5, "kappa_low": 0.1, "kappa_high": 0.9}
    rows = [number | statistics[0], question | statistics[1]]
    write_rows("readers_summary", rows, tables / "readers_summary.parquet", METADATA)


def test_two_readers_have_a_table_and_plots(tables: Path, studies: Path, tmp_path: Path) -> None:
    write_readers(tables)
    write_report(tables, [studies], tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text()
    check_page(page)
    words = text(page)
    assert "anna and ben: 1 study" in words
    assert "Scar, % ICC 0.91 (0.80 to 0.97) +2.0 (" in words
    assert "Scar present kappa 0.50 (0.10 to 0.90) the same answer in 100 %" in words
    assert "Scar, anna minus ben 1 study. Bias +2.0 %." in words


def test_a_rejected_study_is_in_neither_table_nor_plots(tables: Path, studies: Path, tmp_path: Path) -> None:
    write_readers(tables)
    (tmp_path / "review.csv").write_text("study_id,decision\ns1,reject\n")
    carry_decisions(tables, tmp_path / "review.csv")
    assert read_table(tables / "readers_summary.parquet").num_rows == 0
    assert read_table(tables / "readers.parquet").num_rows == 1  # it stays in the tables
    write_report(tables, [studies], tmp_path / "report")
    assert 'id="readers"' not in (tmp_path / "report" / "index.html").read_text()


def test_without_readers_there_is_no_section(tables: Path, studies: Path, tmp_path: Path) -> None:
    write_report(tables, [studies], tmp_path / "report")
    assert 'id="readers"' not in (tmp_path / "report" / "index.html").read_text()
