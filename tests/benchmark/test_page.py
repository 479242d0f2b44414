"""The benchmark's page and Markdown: complete, from the tables alone, without any other host."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from table_rows import write_rows

from scarnet_cli.benchmark.page import write_page
from scarnet_cli.errors import CohortError
from scarnet_cli.image.labels import REGIONS

DICE = {"unet": (0.8, 0.4, 1.0), "<i>medsam": (0.3, 0.1, 1.0)}


def case_row(model: str, number: int, region: str) -> dict[str, Any]:
    return {
        "model": model,
        "case_id": f"Case_{number}",
        "region": region,
        "fold": 0,
        "has_scar": number < 2,
        "dice": DICE[model][number],
        "volume_ml": 10.0 + number,
        "reference_volume_ml": 12.0,
    }


def summary_row(model: str, region: str) -> dict[str, Any]:
    fixed = {"cases": 3, "cases_with_scar": 2, "dice_lower_quartile": 0.2, "dice_upper_quartile": 0.9, "hd95_cases": 0}
    dice = sum(DICE[model]) / 3
    limits = {"bias_ml": -1.0, "lower_limit_ml": -2.96, "upper_limit_ml": 0.96, "cov_percent": 8.3, "icc": 0.5}
    return {"model": model, "region": region, "dice_mean": dice, "dice_median": 0.4, **fixed, **limits}


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    rows = [case_row(model, number, region) for model in DICE for number in range(3) for region in REGIONS]
    write_rows("benchmark", rows, tmp_path / "benchmark.parquet", {"creation_time": "2026-11-23T15:00:00+00:00"})
    summary = [summary_row(model, region) for model in DICE for region in REGIONS]
    write_rows("benchmark_summary", summary, tmp_path / "benchmark_summary.parquet", {})
    cost = {
        "model": "unet",
        "parameters": 1_960_000,
        "gflop_per_slice": 1.54,
        "slices_per_second": 20.0,
        "slices_per_second_best": 31.5,
        "best_batch": 8,
        "device": "cpu",
        "threads": 2,
    }
    write_rows("benchmark_cost", [cost], tmp_path / "benchmark_cost.parquet", {})
    return tmp_path


class Tags(HTMLParser):
    """Checks that tags are closed in order and collects attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(dict(attrs))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_markdown_has_a_row_a_model_the_best_first(tables: Path, tmp_path: Path) -> None:
    write_page(tables, tmp_path)
    lines = (tmp_path / "benchmark.md").read_text().splitlines()
    assert lines[0].startswith("| model | scar, all 3 | with scar 2 | without 1 | myocardium |")
    assert lines[2].startswith("| unet | 0.733 | ")
    assert lines[2].endswith("| -1.0 (-3.0 to +1.0) | 8.3 | 0.50 |")
    assert lines[3].startswith("| <i>medsam | 0.467 | ")


def test_markdown_has_the_cost_of_the_models_that_were_timed(tables: Path, tmp_path: Path) -> None:
    write_page(tables, tmp_path)
    text = (tmp_path / "benchmark.md").read_text()
    assert "| unet | 1.96 | 1.5 | 20.0 | 31.5 | 8 |" in text
    assert text.count("| <i>medsam |") == 1
    assert "CPU, threads: 2" in text


def test_without_weights_there_is_no_table_of_costs(tables: Path, tmp_path: Path) -> None:
    write_rows("benchmark_cost", [], tables / "benchmark_cost.parquet", {})
    write_page(tables, tmp_path)
    assert "GFLOP" not in (tmp_path / "benchmark.md").read_text()
    assert "Timed on" not in (tmp_path / "index.html").read_text()


def test_page_is_closed_escaped_and_asks_no_other_host(tables: Path, tmp_path: Path) -> None:
    write_page(tables, tmp_path)
    page = (tmp_path / "index.html").read_text()
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert "<i>" not in page
    for attributes in tags.found:
        for name in ("href", "src"):
            assert (attributes.get(name) or "#").startswith("#")
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    assert "://" not in body
    assert not re.search(r"\s(style|on\w+)=", body)


def test_page_has_boxes_for_every_region_and_agreement_for_every_model(tables: Path, tmp_path: Path) -> None:
    write_page(tables, tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert page.count(": box plots of ") == 4
    assert page.count("difference against mean of 3 cases") == 4  # scar and myocardium by two models
    assert "Case_1: mean 11.5, difference -1.0 ml" in page


def test_equal_tables_give_equal_bytes(tables: Path, tmp_path: Path) -> None:
    write_page(tables, tmp_path / "one")
    write_page(tables, tmp_path / "two")
    for name in ("index.html", "benchmark.md"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_missing_table_raises(tables: Path, tmp_path: Path) -> None:
    (tables / "benchmark_cost.parquet").unlink()
    with pytest.raises(CohortError, match=r"benchmark_cost\.parquet is missing"):
        write_page(tables, tmp_path)
