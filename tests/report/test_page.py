"""The index and the list: complete, escaped, and without any other host."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from html_tags import Tags, bare, check_page, text
from made_cohort import write_tables
from small_cohort import FAILURES, HEALTHY, SCARRED, SEGMENTS

from scarnet_cli.cli.report import report as command
from scarnet_cli.errors import CohortError
from scarnet_cli.report.page import write_report
from scarnet_cli.tables.parquet import read_table, table_metadata


@pytest.fixture
def page(tables: Path, studies: Path, tmp_path: Path) -> str:
    write_report(tables, [studies], tmp_path / "report")
    return (tmp_path / "report" / "index.html").read_text()


def embedded(page: str) -> dict[str, Any]:
    (content,) = re.findall(r'<script type="application/json" id="cohort-table">(.*?)</script>', page, re.DOTALL)
    return json.loads(content)


def test_index_and_list_are_whole_and_ask_no_other_host(page: str, tmp_path: Path) -> None:
    check_page(page)
    check_page((tmp_path / "report" / "list.html").read_text())


def test_flow_adds_up_and_gives_reasons(page: str) -> None:
    words = text(page)
    # f2 failed after it was segmented; s2 has a finding only
    assert "4 found 3 segmented 2 measured 1 of these flagged 2 failed 0 reviewed" in words
    assert "1 No LGE stack while searching the input 1 Odd while measuring it" in words
    assert "1 &lt;b&gt;new flag 1 Slice without myocardium between others 1 No scar finding" in words


def test_failures_are_listed_with_their_message(page: str) -> None:
    assert "f1 No &lt;i&gt;LGE&lt;/i&gt; series; add a rule." in text(page)


def test_markup_from_the_input_is_escaped(page: str, tmp_path: Path) -> None:
    for html in (page, (tmp_path / "report" / "list.html").read_text()):
        assert not re.search(r"<script>alert|<b>new|<i>LGE|<u>", html)
    assert [attributes.get("type") for attributes in Tags(page).attributes("script")] == ["application/json", None]


def test_script_reads_the_rows_as_the_tables_have_them(page: str) -> None:
    data = embedded(page)
    first = data["rows"][0]
    assert first[:3] == ["s1", "<script>alert('maker')</script>", []]
    assert first[3] == [12.34, 15.0, None, 0.02, None, 105.0, None, None]
    assert [data["flags"][place][0] for place in first[4]] == ["Slice without myocardium between others", "<b>new flag"]
    assert first[5] is None
    assert (data["scar"], data["mvo"]) == (0, 3)


def test_list_without_scripts_has_a_link_to_every_study(page: str, tmp_path: Path) -> None:
    listed = (tmp_path / "report" / "list.html").read_text()
    links = re.findall(r'<a href="studies/([^"]+)">', listed)
    assert links == ["s1.html", "s2.html"]
    assert all((tmp_path / "report" / "studies" / link).is_file() for link in links)
    assert "s1 12.3 15.0 \N{EN DASH} &lt;0.1" in text(listed)
    assert '<a href="list.html">' in page


def test_page_says_that_it_is_no_medical_device_what_made_it_and_how_to_cite_it(page: str) -> None:
    assert "Not a medical device." in page
    assert "ab" * 32 in page
    assert "2026-11-23T15:00:00+00:00" in page
    assert "The network unet (weights SHA-256 abababababab) labelled" in page
    assert "Of 4 studies found, 2 were measured." in text(page)


def test_equal_tables_give_equal_bytes(page: str, tables: Path, studies: Path, tmp_path: Path) -> None:
    write_report(tables, [studies], tmp_path / "again")
    names = sorted(path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*.*"))
    assert [str(name) for name in names] == [
        "index.html",
        "list.html",
        "studies/s1.html",
        "studies/s1.png",
        "studies/s2.html",
    ]
    assert all((tmp_path / "again" / name).read_bytes() == (tmp_path / "report" / name).read_bytes() for name in names)
    assert page


def test_groups_sites_and_references_are_drawn_where_the_tables_have_them(tables: Path, tmp_path: Path) -> None:
    given = {"group": "a<", "site": "Bern", "reference_scar_percent_lv": 10.0, "scar_dice": 0.8}
    other = {"group": "b", "site": "Bern", "reference_scar_percent_lv": 0.0}
    write_tables(tables, [{**SCARRED, **given}, {**HEALTHY, **other}], failures=FAILURES)
    write_report(tables, [], tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text()
    check_page(page)
    words = text(page)
    assert "By group" in words
    assert "a&lt; (n = 1): median 12.3; b (n = 1): median 0.0." in words
    assert "By site" not in words  # one site is the whole cohort
    assert "Agreement with the references" in words
    assert embedded(page)["rows"][0][2] == ["a<", "Bern"]


def test_flow_and_bullseyes_show_each_group_and_their_difference(tables: Path, tmp_path: Path) -> None:
    scans = [{**SCARRED, "group": "a<"}, {**HEALTHY, "group": "b"}]
    healthy = [{**row, "study_id": "s2", "scar_percent": 0.0} for row in SEGMENTS]
    write_tables(tables, scans, [*SEGMENTS, *healthy], failures=FAILURES)
    write_report(tables, [], tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text()
    check_page(page)
    words = text(page)
    for counted in (
        "Studies found (n = 4)",
        "Measured (n = 2)",
        "Rejected by a reader (n = 0)",
        "In the analysis (n = 2)",
    ):
        assert counted in words
    assert "a&lt; n = 1 b n = 1" in words
    for heading in ("a&lt;, n = 1", "b, n = 1", "b minus a&lt;"):
        assert words.count(heading) >= 2  # of the mean and of the frequency
    assert page.count('class="bullseye"') == 6
    assert "1 basal anterior: -60.0 %" in page


def test_cohort_without_groups_or_references_has_no_place_for_them(page: str) -> None:
    assert "By group" not in page
    assert "Agreement" not in bare(page)
    assert 'class="by-label"' not in page


def test_rejected_studies_are_left_out_of_the_distributions(tables: Path, tmp_path: Path) -> None:
    reference = {"reference_scar_percent_lv": 1.0}
    write_tables(tables, [{**SCARRED, **reference, "reviewed": "reject"}, {**HEALTHY, "reviewed": "accept"}])
    write_report(tables, [], tmp_path / "report")
    words = text((tmp_path / "report" / "index.html").read_text())
    assert "Without the 1 study that a reader rejected." in words
    assert "Myocardium mass Median 95.0 g." in words
    assert "2 reviewed: 1 accepted, 1 rejected" in words
    assert "Agreement with the references" not in words


def test_cohort_without_measured_studies_has_a_page(tables: Path, tmp_path: Path) -> None:
    write_tables(tables, [], failures=FAILURES)
    assert write_report(tables, [], tmp_path / "report") == 2
    page = (tmp_path / "report" / "index.html").read_text()
    assert "No study could be measured." in page
    check_page(page)


def test_cohort_of_nothing_has_a_page(tables: Path, tmp_path: Path) -> None:
    write_tables(tables, [])
    assert write_report(tables, [], tmp_path / "report") == 0
    check_page((tmp_path / "report" / "index.html").read_text())


@pytest.mark.parametrize("name", ["scans", "segments", "series", "failures"])
def test_missing_table_raises_before_anything_is_written(name: str, tables: Path, tmp_path: Path) -> None:
    (tables / f"{name}.parquet").unlink()
    with pytest.raises(CohortError, match=rf"{name}\.parquet is missing"):
        write_report(tables, [], tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_table_of_an_older_release_has_a_page(tables: Path, tmp_path: Path) -> None:
    scans = read_table(tables / "scans.parquet")
    kept = [name for name in scans.schema.names if name not in ("reviewed", "endocardial_extent_percent")]
    pq.write_table(scans.select(kept), tables / "scans.parquet")
    assert write_report(tables, [], tmp_path / "report") == 4
    check_page((tmp_path / "report" / "studies" / "s1.html").read_text())


def test_command_names_the_page(tables: Path, studies: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    result = CliRunner().invoke(command, [str(tables), "--studies", str(studies), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{out / 'index.html'}: 4 studies.\n"


def test_command_carries_a_readers_decisions_into_the_table_and_the_page(tables: Path, tmp_path: Path) -> None:
    before = read_table(tables / "scans.parquet")
    (tmp_path / "decisions.csv").write_text("study_id,decision,reader\ns2,reject,ab\n")
    arguments = [str(tables), "--reviewed", str(tmp_path / "decisions.csv"), "--out", str(tmp_path / "report")]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    after = read_table(tables / "scans.parquet")
    assert after["reviewed"].to_pylist() == [None, "reject"]
    assert after.drop_columns("reviewed").equals(before.drop_columns("reviewed"))
    assert table_metadata(after) == table_metadata(before)
    assert "1 reviewed: 0 accepted, 1 rejected" in text((tmp_path / "report" / "index.html").read_text())
    assert "Rejected by a reader" in (tmp_path / "report" / "studies" / "s2.html").read_text()


def test_hundred_studies_stay_far_below_five_megabytes(tmp_path: Path) -> None:
    rows = [
        {**SCARRED, "study_id": f"s{n}", "group": f"g{n % 3}", "reference_scar_percent_lv": n / 5} for n in range(100)
    ]
    write_tables(tmp_path / "tables", rows)
    write_report(tmp_path / "tables", [], tmp_path / "report")
    assert (tmp_path / "report" / "index.html").stat().st_size < 500_000
