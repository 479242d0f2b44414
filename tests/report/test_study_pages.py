"""The studies' pages: every number of the tables, flags with what to do, escaped, a picture beside each."""

import html
import re
from pathlib import Path

import pytest
from html_tags import Tags, check_page, text
from made_cohort import write_tables
from small_cohort import FAILURES, HEALTHY, SCARRED, SEGMENTS, SERIES

from scarnet_cli.errors import InputError
from scarnet_cli.report.measures import GROUPS
from scarnet_cli.report.page import write_report
from scarnet_cli.report.study_pages import find_pictures
from scarnet_cli.tables.flags import FLAGS


@pytest.fixture
def folder(tables: Path, studies: Path, tmp_path: Path) -> Path:
    write_report(tables, [studies], tmp_path / "report")
    return tmp_path / "report" / "studies"


@pytest.fixture
def page(folder: Path) -> str:
    return (folder / "s1.html").read_text()


def test_pages_are_whole_and_ask_no_other_host(folder: Path) -> None:
    for path in folder.glob("*.html"):
        check_page(path.read_text())


def test_flags_say_what_was_seen_and_what_to_do(page: str, folder: Path) -> None:
    flag = FLAGS["missing_slice"]
    assert f"Slice without myocardium between others . {flag.meaning} {flag.action}" in text(page)
    assert '<li class="doubt"><strong>&lt;b&gt;new flag</strong></li>' in page
    healthy = (folder / "s2.html").read_text()
    assert "<li><strong>No scar</strong>" in healthy
    assert "Nothing." not in healthy


def test_numbers_stand_beside_those_of_the_methods(page: str) -> None:
    assert "Label map 12.3 2 SD \N{EN DASH} 3 SD \N{EN DASH} 4 SD \N{EN DASH} 5 SD 15.0" in text(page)
    assert "Myocardium 105.0 g" in text(page)
    assert "Pieces of scar 2" in text(page)
    assert '<dt title="Number of connected pieces of scar (26 neighbours). Column scar_components.">' in page


def test_bulls_eyes_and_table_have_scar_and_transmurality_of_every_segment(page: str, folder: Path) -> None:
    eyes = [a["aria-label"] for a in Tags(page).attributes("svg") if a.get("class") == "bullseye"]
    assert eyes == ["Scar by AHA segment", "Transmurality by AHA segment"]
    assert page.count("1 basal anterior: 60.0 %") == 1
    assert page.count("1 basal anterior: 80.0 %") == 1
    words = text(page)
    assert "1 basal anterior 2 basal anteroseptal" in words
    assert "Scar, % 60.0 0.0" in words
    assert "Transmurality, % 80.0 0.0" in words
    assert "bullseye" not in re.sub(r"<style>.*?</style>", "", (folder / "s2.html").read_text(), flags=re.DOTALL)


def test_each_study_has_its_own_segments_and_series(tables: Path, tmp_path: Path) -> None:
    other = [{**row, "study_id": "s2", "scar_percent": 33.0} for row in SEGMENTS]
    write_tables(tables, [SCARRED, HEALTHY], [*other, *SEGMENTS], SERIES, FAILURES)
    write_report(tables, [], tmp_path / "report")
    pages = [(tmp_path / "report" / "studies" / f"{study}.html").read_text() for study in ("s1", "s2")]
    assert ["1 basal anterior: 33.0 %" in page for page in pages] == [False, True]
    assert [re.findall(r"&lt;u&gt;LGE (\w+)", page) for page in pages] == [["s1"], ["s2"]]


def test_markup_from_the_input_is_escaped(page: str) -> None:
    assert not re.search(r"<script>alert|<b>new|<u>LGE|<i>", page)
    assert "&lt;script&gt;alert(&#39;maker&#39;)&lt;/script&gt;" in page
    assert len(Tags(page).attributes("script")) == 1


def test_picture_is_beside_its_page(page: str, folder: Path, studies: Path) -> None:
    (picture,) = Tags(page).attributes("img")
    assert picture["src"] == "s1.png"
    assert "s1" in (picture["alt"] or "")
    assert (folder / "s1.png").read_bytes() == (studies / "s1" / "overlay.png").read_bytes()
    assert "No picture of this study was given." in (folder / "s2.html").read_text()


def test_reference_stands_beside_the_network(tables: Path, tmp_path: Path) -> None:
    given = {"reference_scar_percent_lv": 10.0, "scar_dice": 0.812, "scar_hd95_mm": 7.5, "patient": "<p>", "visit": "1"}
    write_tables(tables, [{**SCARRED, **given}])
    write_report(tables, [], tmp_path / "report")
    page = (tmp_path / "report" / "studies" / "s1.html").read_text()
    words = text(page)
    assert "Label map Reference Difference Scar % 12.3 10.0 +2.3" in words
    assert "Scar, Dice 0.81" in words
    assert "Scar, HD95 mm 7.5" in words
    assert "Patient &lt;p&gt; · Visit 1 ·" in words
    check_page(page)


def test_what_the_network_made_of_a_corrected_study_has_a_heading(tables: Path, tmp_path: Path) -> None:
    network = {"network_scar_percent_lv": 4.0, "network_scar_dice": 0.5, "labels_source": "corrected", "model": None}
    write_tables(tables, [{**SCARRED, **network, "flags": ["labels_corrected"]}, HEALTHY])
    write_report(tables, [], tmp_path / "report")
    corrected, other = (text((tmp_path / f"report/studies/{study}.html").read_text()) for study in ("s1", "s2"))
    assert "Of the network's label map Scar 4.0 % Scar, Dice 0.50" in html.unescape(corrected)
    assert "Label map corrected" in corrected
    assert "network's label map" not in html.unescape(other)


def test_number_without_a_heading_is_among_the_other_measures(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `remote_pixels` has a heading; taken from it, it is what a column of a later release is
    monkeypatch.delitem(GROUPS["Shape and quality"], "remote_pixels")
    write_tables(tables, [{**SCARRED, "remote_pixels": 321}])
    write_report(tables, [], tmp_path / "report")
    assert "Other measures Remote pixels 321" in text((tmp_path / "report" / "studies" / "s1.html").read_text())


@pytest.mark.parametrize("place", ["s1", "studies/s1", "batch/studies/s1", "1/quantified/studies/s1"])
def test_picture_is_found_where_the_stages_leave_it(place: str, tmp_path: Path) -> None:
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "overlay.png").touch()
    assert find_pictures([tmp_path]) == {"s1": tmp_path / place / "overlay.png"}


def test_picture_is_found_through_a_link(tmp_path: Path) -> None:
    real = tmp_path / "work" / "studies" / "s1"
    real.mkdir(parents=True)
    (real / "overlay.png").touch()
    (tmp_path / "staged").mkdir()
    (tmp_path / "staged" / "1").symlink_to(tmp_path / "work")
    assert list(find_pictures([tmp_path / "staged"])) == ["s1"]


def test_study_id_with_odd_characters_is_linked(tables: Path, tmp_path: Path) -> None:
    odd = 'a b"<#%?'
    write_tables(tables, [{"study_id": odd}])
    folder = tmp_path / "studies" / odd
    folder.mkdir(parents=True)
    (folder / "overlay.png").write_bytes(b"picture")
    write_report(tables, [tmp_path / "studies"], tmp_path / "report")
    assert 'href="studies/a%20b%22%3C%23%25%3F.html"' in (tmp_path / "report" / "list.html").read_text()
    (picture,) = Tags((tmp_path / "report" / "studies" / f"{odd}.html").read_text()).attributes("img")
    assert picture["src"] == "a%20b%22%3C%23%25%3F.png"
    assert (tmp_path / "report" / "studies" / f"{odd}.png").read_bytes() == b"picture"


@pytest.mark.parametrize("study_id", ["../out", "a/b", "/tmp/out"])
def test_study_id_that_is_a_path_raises(study_id: str, tables: Path, tmp_path: Path) -> None:
    write_tables(tables, [{"study_id": study_id}])
    with pytest.raises(InputError, match="cannot be a file's name"):
        write_report(tables, [], tmp_path / "report")
