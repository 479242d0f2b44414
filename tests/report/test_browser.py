"""The report in a real browser: Debian's chromium, opened from disk, with every message and request looked at."""

import csv
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from debian import BROWSER
from made_cohort import MARKUP, made_scans, write_cohort, write_tables
from playwright.sync_api import Browser, FrameLocator, Page, expect, sync_playwright
from small_cohort import FAILURES, HEALTHY, SCARRED, SERIES

from scarnet_cli.diff.diff import diff_runs
from scarnet_cli.report.cohort import read_cohort
from scarnet_cli.report.page import render_index, write_report

STUDIES = 130
DASH = "\N{EN DASH}"
PATIENCE_MS = 120_000  # on a machine that other work keeps busy; what passes does not wait
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = BROWSER.find()
    if program is None:
        pytest.skip("no chromium is here; on Debian: apt install chromium (or set CHROMIUM to its program)")
    with sync_playwright() as playwright:
        options = ["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]  # its sandbox refuses root
        browser = playwright.chromium.launch(executable_path=program, args=options, timeout=PATIENCE_MS)
        yield browser
        browser.close()


@dataclass(frozen=True, slots=True)
class Watched:
    """A page with what it said and asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The studies of the rows in view."""
        return self.page.locator("#scans tbody th").all_inner_texts()

    @property
    def frame(self) -> FrameLocator:
        """The study's page in the pane."""
        return self.page.frame_locator("#frame")

    def open(self, number: int) -> str:
        """Open the study of a row; return its name."""
        link = self.page.locator("#scans tbody a").nth(number)
        name = link.inner_text()
        link.click()
        expect(self.page.locator("#pane")).to_be_visible()
        expect(self.page.locator("#pane-title")).to_have_text(name)
        return name


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A new page; at its end it must have said nothing and asked for files alone."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    watched = Watched(page)
    page.on("console", lambda message: watched.said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: watched.said.append(str(error)))
    page.on("dialog", lambda dialog: watched.said.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: watched.asked.append(request.url))
    yield watched
    page.context.close()
    assert watched.said == []
    assert [url for url in watched.asked if not url.startswith(("file:", "blob:file:", "blob:null"))] == []


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the index of a cohort with more rows than one page of the list."""
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(folder, STUDIES, failed=4)
    write_report(folder / "tables", [folder / "studies"], folder / "report")
    return folder / "report" / "index.html"


@pytest.fixture
def index(watched: Watched, cohort: Path) -> Watched:
    watched.page.goto(cohort.as_uri())
    return watched


@pytest.fixture
def small(watched: Watched, tables: Path, studies: Path, tmp_path: Path) -> Watched:
    write_report(tables, [studies], tmp_path / "report")
    watched.page.goto((tmp_path / "report" / "index.html").as_uri())
    return watched


def column(index: Watched, number: int) -> list[float]:
    """Return the numbers of a column of the rows in view, by its place among the numbers; undefined left out."""
    texts = index.page.locator("#scans tbody tr").evaluate_all(
        "(rows, place) => rows.map((row) => row.querySelectorAll('td.number')[place].textContent)", number
    )
    return [0.0 if text.startswith("<") else float(text) for text in texts if text != DASH]


def test_list_shows_a_hundred_rows_at_a_time_in_the_order_of_review(index: Watched) -> None:
    expect(index.page.locator("#shown")).to_have_text(f"{STUDIES} of {STUDIES} studies, 1 to 100 shown")
    first = index.names
    # findings are spans; every flag that asks for a look is a text of its own
    flags = index.page.locator("#scans tbody .flags").evaluate_all(
        "(cells) => cells.map((cell) => [...cell.childNodes].map((n) => n.data).filter((t) => t && t !== '; '))"
    )
    order = [(any(text == "Scar or none" for text in texts), len(texts)) for texts in flags]
    assert order == sorted(order, reverse=True)
    assert order[0][0]
    assert order[-1] != order[0]
    index.page.get_by_role("button", name="Next 100").click()
    assert len(first) == 100
    assert len(set(first) | set(index.names)) == STUDIES
    expect(index.page.locator("#shown")).to_have_text(f"{STUDIES} of {STUDIES} studies, 101 to {STUDIES} shown")
    expect(index.page.get_by_role("button", name="Next 100")).to_be_disabled()


def test_sorting_by_a_number_begins_with_the_greatest_and_keeps_undefined_last(index: Watched) -> None:
    heading = index.page.get_by_role("columnheader", name="Transmurality")
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    down = column(index, 4)
    assert down == sorted(down, reverse=True)
    heading.get_by_role("button").press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    up = column(index, 4)
    assert up == sorted(up)
    assert up[0] < down[-1]
    index.page.get_by_role("button", name="Next 100").click()
    cells = index.page.locator("#scans tbody tr td.number:nth-of-type(10)").all_inner_texts()
    assert cells[-1] == DASH
    assert set(cells[cells.index(DASH) :]) == {DASH}


def test_sorting_by_name_and_back_to_the_order_of_review(index: Watched) -> None:
    before = index.names
    index.page.get_by_role("columnheader", name="Study").get_by_role("button").click()
    assert index.names == [f"S{number:05}" for number in range(100)]
    index.page.get_by_role("button", name="most doubtful first").click()
    expect(index.page.locator("th[aria-sort]")).to_have_count(0)
    assert index.names == before


def test_filters_narrow_the_list_together(index: Watched) -> None:
    index.page.get_by_label("Find").fill("siemens")
    index.page.get_by_role("combobox", name="Group").select_option("control")
    index.page.get_by_label("Show").select_option("scar")
    groups = index.page.locator("#scans tbody td.label:nth-of-type(4)").all_inner_texts()
    assert 0 < len(groups) < STUDIES / 6
    assert set(groups) == {"control"}
    assert min(column(index, 0)) > 0
    index.page.get_by_label("Find").fill("S00007")
    index.page.get_by_role("combobox", name="Group").select_option("")
    index.page.get_by_label("Show").select_option("")
    assert index.names == ["S00007"]
    index.page.get_by_label("Find").fill("nothing has this")
    expect(index.page.locator("#shown")).to_have_text(f"0 of {STUDIES} studies")


def test_a_flag_of_the_flow_filters_the_list(index: Watched) -> None:
    item = index.page.locator(".reasons li", has=index.page.locator("button")).first
    number, words = item.locator("b").inner_text(), item.get_by_role("button").inner_text()
    item.get_by_role("button").click()
    expect(index.page.locator("#shown")).to_have_text(f"{number} of {STUDIES} studies")
    assert all(words in text for text in index.page.locator("#scans tbody .flags").all_inner_texts())


def test_study_opens_in_the_pane_with_its_picture_and_keys_go_through_the_list(index: Watched) -> None:
    names = index.names
    assert index.open(1) == names[1]
    expect(index.frame.locator("svg.bullseye")).to_have_count(2)
    assert index.frame.locator("img").evaluate("(image) => image.complete && image.naturalWidth > 0")
    page = index.page
    page.keyboard.press("j")
    expect(page.locator("#pane-title")).to_have_text(names[2])
    expect(page.locator("#place")).to_have_text(f"3 of {STUDIES}")
    index.frame.locator("h2").first.click()  # the focus is in the study's page now; the keys go on working
    page.keyboard.press("k")
    expect(page.locator("#pane-title")).to_have_text(names[1])
    expect(page.locator("#pane-title")).to_be_focused()  # the page that had the focus is gone
    page.keyboard.press("k")
    page.keyboard.press("k")  # there is none before the first
    expect(page.locator("#pane-title")).to_have_text(names[0])
    expect(page.get_by_role("button", name="Previous k")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.locator("#pane")).to_be_hidden()
    expect(page.locator("#scans tbody a").first).to_be_focused()


def test_escape_in_the_studys_page_closes_the_pane(index: Watched) -> None:
    index.open(0)
    index.frame.locator("h2").first.click()
    index.page.keyboard.press("Escape")
    expect(index.page.locator("#pane")).to_be_hidden()


def test_decisions_are_kept_over_a_reload_and_downloaded(index: Watched, tmp_path: Path) -> None:
    page = index.page
    page.get_by_role("textbox", name="Reader").fill("xy")
    accepted = index.open(0)
    page.keyboard.press("Shift+A")
    expect(page.get_by_role("button", name="Accept")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Comment").fill('base, "cut"')
    page.keyboard.press("Tab")
    page.keyboard.press("j")
    rejected = page.locator("#pane-title").inner_text()
    page.keyboard.press("Shift+R")
    page.keyboard.press("j")
    page.keyboard.press("Shift+A")
    page.keyboard.press("Shift+A")  # taken back
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("#scans tbody .review").nth(0)).to_have_text("✓ accepted")
    expect(page.locator("#scans tbody .review").nth(1)).to_have_text("✗ rejected")
    expect(page.locator("#scans tbody .review").nth(2)).to_have_text("")
    assert [page.locator(f"#{name}").inner_text() for name in ("decided", "accepted", "rejected")] == ["2", "1", "1"]
    page.get_by_label("Show").select_option("reject")
    assert index.names == [rejected]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download decisions.csv").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "decisions.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(rows, key=lambda row: row["decision"]) == [
        {"study_id": accepted, "decision": "accept", "reader": "xy", "comment": 'base, "cut"', "date": rows[0]["date"]},
        {"study_id": rejected, "decision": "reject", "reader": "xy", "comment": "", "date": rows[0]["date"]},
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", rows[0]["date"])


def test_initials_are_asked_for_at_the_first_decision_and_undo_puts_back_what_was(index: Watched) -> None:
    page = index.page
    first = index.open(0)
    page.keyboard.press("Shift+R")
    expect(page.locator("#initials")).to_be_focused()
    expect(page.locator("#decided")).to_have_text("0")  # not without initials
    expect(page.locator("#initials")).to_have_value("")  # the letter of the decision is not one of them
    page.keyboard.type("Ra")  # and theirs are no decisions
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Reject")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#said")).to_have_text(f"Study {first}: reject")
    page.keyboard.press("j")
    page.keyboard.press("Shift+A")  # they are known now
    expect(page.locator("#decided")).to_have_text("2")
    index.frame.locator("h2").first.click()
    page.keyboard.press("Control+z")  # in the study's page too
    expect(page.locator("#decided")).to_have_text("1")
    page.keyboard.press("j")
    page.get_by_role("button", name="Undo").click()  # back at the study that it was about
    expect(page.locator("#pane-title")).to_have_text(first)
    expect(page.get_by_role("button", name="Reject")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("#decided")).to_have_text("0")


def test_contours_are_hidden_by_a_key_and_the_picture_comes_closer(index: Watched) -> None:
    index.open(0)
    index.page.locator("#next").focus()
    picture = index.frame.locator("#slices")
    name = picture.get_attribute("src")
    assert name is not None
    index.page.keyboard.press("h")  # the focus is in the index
    expect(picture).to_have_attribute("src", name.replace(".png", ".plain.webp"))
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 1224
    index.frame.locator("h2").first.click()
    index.page.keyboard.press("h")  # and here in the study's page
    expect(picture).to_have_attribute("src", name)
    before = picture.bounding_box()
    index.page.keyboard.press("+")
    index.page.keyboard.press("+")
    expect(index.frame.locator("#zoom")).to_have_text("2\N{MULTIPLICATION SIGN}")
    after = picture.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > 1.9 * before["width"]
    assert index.page.frames[1].evaluate("document.documentElement.scrollWidth <= innerWidth")
    index.page.keyboard.press("0")
    expect(index.frame.locator("#zoom")).to_have_text("1\N{MULTIPLICATION SIGN}")
    expect(index.page.locator("#decided")).to_have_text("0")


def test_typing_beside_the_comment_decides_nothing(index: Watched) -> None:
    page = index.page
    page.get_by_role("textbox", name="Reader").fill("xy")
    index.open(0)
    for words in ("scar at the apex", "Artefact", "Rather dark", "CARE"):
        page.keyboard.type(words)
        expect(page.locator("#decided")).to_have_text("0")
        page.wait_for_timeout(900)  # longer than between letters of a word


def test_decisions_are_loaded_from_a_file(index: Watched, tmp_path: Path) -> None:
    rows = (
        'study_id,decision,reader,comment\r\nS00003,accept,xy,"one,\r\ntwo"\r\nnobody,reject,,\r\nS00004,perhaps,,\r\n'
    )
    (tmp_path / "given.csv").write_text(rows, newline="")
    index.page.locator("#load").set_input_files(tmp_path / "given.csv")
    expect(index.page.locator("#kept")).to_contain_text("1 taken, 2 left")
    index.page.get_by_label("Show").select_option("accept")
    assert index.names == ["S00003"]
    index.open(0)
    expect(index.page.get_by_label("Comment")).to_have_value("one,two")  # a field of one line


def test_decisions_of_the_tables_are_there_and_those_made_here_go_before(watched: Watched, tmp_path: Path) -> None:
    write_tables(tmp_path / "tables", [{**SCARRED, "reviewed": "accept"}, {**HEALTHY, "reviewed": "reject"}])
    write_report(tmp_path / "tables", [], tmp_path / "report")
    watched.page.goto((tmp_path / "report" / "index.html").as_uri())
    assert watched.page.locator("#scans tbody .review").all_inner_texts() == ["✓ accepted", "✗ rejected"]
    watched.page.get_by_role("textbox", name="Reader").fill("xy")
    watched.open(0)
    watched.page.keyboard.press("Shift+R")
    watched.page.keyboard.press("Escape")
    expect(watched.page.locator("#scans tbody .review")).to_have_text(["✗ rejected", "✗ rejected"])
    expect(watched.page.locator("#rejected")).to_have_text("2")


def test_markup_from_the_input_is_text_everywhere(watched: Watched, tmp_path: Path) -> None:
    labels = dict.fromkeys(("manufacturer", "patient", "group", "site", "visit"), MARKUP)
    odd = {**SCARRED, **labels, "study_id": "a <b>&amp;%41", "flags": [MARKUP]}
    series = [{**SERIES[0], "study_id": odd["study_id"], "description": MARKUP}]
    failures = [{**FAILURES[0], "message": MARKUP}]
    write_tables(tmp_path / "tables", [odd, {**HEALTHY, "group": "</script><b>"}], [], series, failures)
    write_report(tmp_path / "tables", [], tmp_path / "report")
    watched.page.goto((tmp_path / "report" / "index.html").as_uri())
    body = watched.page.locator("body")
    assert body.inner_text().count(MARKUP) >= 7
    expect(watched.page.locator("body img, body b b")).to_have_count(0)
    watched.page.get_by_role("combobox", name="Group").select_option(MARKUP)
    assert watched.names == ["a <b>&amp;%41"]
    watched.open(0)
    watched.frame.get_by_text("Series of the study").click()
    expect(watched.frame.get_by_role("cell", name=MARKUP)).to_be_visible()
    expect(watched.frame.get_by_role("heading", level=1, include_hidden=True)).to_have_text("a <b>&amp;%41")
    expect(watched.frame.locator("img")).to_have_count(0)


def test_undefined_and_tiny_numbers_are_written_as_in_the_pages(small: Watched) -> None:
    cells = small.page.locator("#scans tbody tr").first.locator("td.number").all_inner_texts()
    assert cells == ["12.3", "15.0", DASH, "<0.1", DASH, "105", DASH, DASH]


def test_citation_is_copied(small: Watched) -> None:
    small.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    small.page.get_by_role("button", name="Copy the paragraph").click()
    expect(small.page.locator("#copied")).to_have_text("Copied.")
    copied = small.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(
        "Scar was segmented and measured in late gadolinium enhancement (LGE) with ScarNet pipeline"
    )
    assert copied.endswith("Of 4 studies found, 2 were measured.")


def test_everything_can_be_reached_and_is_named_for_screen_readers(index: Watched) -> None:
    index.page.keyboard.press("Tab")
    expect(index.page.get_by_role("link", name="Skip to the review list")).to_be_focused()
    unnamed = index.page.locator("button, a, input, select, svg[role=img], [role=region]").evaluate_all(
        "(all) => all.filter((e) => !(e.ariaLabel || e.textContent.trim() || e.labels?.length"
        " || e.getAttribute('aria-labelledby'))).map((e) => e.outerHTML)"
    )
    assert unnamed == []
    index.open(0)
    expect(index.page.get_by_role("dialog")).to_have_accessible_name(index.page.locator("#pane-title").inner_text())
    expect(index.page.get_by_role("button", name="Next j")).to_be_focused()


def test_no_table_is_wider_than_its_place_at_any_width(index: Watched) -> None:
    referenced = index.page.evaluate("JSON.parse(document.getElementById('cohort-table').textContent).rows")
    name = next(row[0] for row in referenced if int(row[0][1:]) % 2)  # every second study has a reference
    list_page = index.page.url.replace("index.html", "list.html")
    for address in (index.page.url, list_page, index.page.url.replace("index.html", f"studies/{name}.html")):
        index.page.goto(address)
        index.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        for width in (360, 420, 768, 1024, 1200, 1400, 1920, 2560):
            index.page.set_viewport_size({"width": width, "height": 900})
            assert index.page.evaluate("document.documentElement.scrollWidth") <= width, (address, width)
            wider = index.page.locator("table").evaluate_all(
                "(all) => all.filter((e) => !e.closest('.scroll') && (e.scrollWidth > e.parentElement.clientWidth + 1"
                " || [...e.querySelectorAll('th, td')].some((c) => c.scrollWidth > c.clientWidth + 1)))"
                ".map((e) => e.className)"
            )
            assert wider == [], (address, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_screen_does_not_scroll_sideways(index: Watched, scheme: str) -> None:
    index.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    index.page.set_viewport_size({"width": 400, "height": 800})
    wide = "() => document.documentElement.scrollWidth"
    assert index.page.evaluate(wide) == 400
    index.open(0)
    expect(index.frame.locator("main")).to_be_visible()
    assert index.page.frames[1].evaluate(wide) == 400


def test_paper_shows_every_row_of_the_filter_and_no_controls(index: Watched) -> None:
    index.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert len(index.names) == STUDIES
    index.page.emulate_media(media="print")
    expect(index.page.locator("#filter")).to_be_hidden()
    expect(index.page.locator("#download")).to_be_hidden()
    index.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert len(index.names) == 100


def test_ten_thousand_studies_are_sorted_and_found_among(watched: Watched, tmp_path: Path) -> None:
    write_tables(tmp_path, made_scans(10_000))
    index = tmp_path / "index.html"
    index.write_text(render_index(read_cohort(tmp_path)))
    assert index.stat().st_size < 2_500_000
    page = watched.page
    page.goto(index.as_uri())
    expect(page.locator("#scans tbody tr")).to_have_count(100)
    page.get_by_role("columnheader", name="FWHM").get_by_role("button").click()
    page.get_by_label("Find").fill("s0999")
    expect(page.locator("#shown")).to_have_text("10 of 10,000 studies")
    fwhm = column(watched, 2)
    assert fwhm == sorted(fwhm, reverse=True)


def test_without_scripts_the_list_is_a_page_of_links(browser: Browser, cohort: Path) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(cohort.as_uri())
    page.get_by_role("link", name="The same list without it.").click()
    expect(page.locator("tbody a")).to_have_count(STUDIES)
    page.locator("tbody a").first.click()
    expect(page.locator("svg.bullseye")).to_have_count(2)
    page.context.close()


def test_what_a_rerun_changed_opens_from_disk_and_does_not_scroll_sideways(watched: Watched, tmp_path: Path) -> None:
    scans = made_scans(40)
    write_tables(tmp_path / "old", scans)
    moved = [{**scan, "scar_percent_lv": scan["scar_percent_lv"] + 3, "flags": ["no_remote"]} for scan in scans[4:]]
    write_tables(tmp_path / "new", moved, failures=FAILURES)
    diff_runs(tmp_path / "old", tmp_path / "new", tmp_path / "out")
    watched.page.goto((tmp_path / "out" / "index.html").as_uri())
    expect(watched.page.locator("#studies tbody tr")).to_have_count(36)
    expect(watched.page.locator("#scar svg.plot")).to_have_count(2)
    watched.page.set_viewport_size({"width": 400, "height": 800})
    assert watched.page.evaluate("() => document.documentElement.scrollWidth") == 400
