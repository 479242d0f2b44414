"""The page: complete, escaped, and without any other host."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from scarnet_cli.cli.report import report as command
from scarnet_cli.cohort.tables import write_table
from scarnet_cli.errors import CohortError, InputError
from scarnet_cli.report.page import copy_picture, find_pictures, write_report


@pytest.fixture
def page(tables: Path, studies: Path, tmp_path: Path) -> str:
    write_report(tables, [studies], tmp_path / "report")
    return (tmp_path / "report" / "index.html").read_text()


class Tags(HTMLParser):
    """Collects start tags with their attributes, and checks that tags are closed in order."""

    VOID = frozenset({"meta", "input", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def parsed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    tags.close()
    return tags


def text(page: str) -> str:
    body = re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_tags_are_closed_and_ids_are_unique(page: str) -> None:
    tags = parsed(page)
    assert tags.open == []
    ids = [attributes["id"] for _, attributes in tags.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for attributes in tags.attributes("a") if (attributes["href"] or "").startswith("#")}
    assert {f"#{name}" for name in ids} >= links


def test_flow_adds_up(page: str) -> None:
    words = text(page)
    assert "4 found 2 measured 1 of these flagged 2 failed 2 \N{MULTIPLICATION SIGN} No LGE stack (index)" in words


def test_each_measured_study_has_a_row_and_a_pane(page: str) -> None:
    panes = [attributes["id"] for attributes in parsed(page).attributes("article")]
    assert panes == ["study-s1", "study-s2"]
    assert page.count('data-value="12.34">12.3</td>') == 1
    assert "Network 12.3 2 SD" in text(page)
    assert '<li class="doubt">Slice without myocardium between others</li>' in page
    assert "<li>No scar</li>" in page


def test_failures_are_listed_with_their_message(page: str) -> None:
    assert "f1 index No LGE stack No &lt;i&gt;LGE&lt;/i&gt; series; add a rule." in text(page)


def test_undefined_is_a_dash_and_has_no_sort_value(page: str) -> None:
    (row,) = re.findall(r'<tr data-kinds="" .*?</tr>', page, flags=re.DOTALL)
    assert row.count('<td class="number">\N{EN DASH}</td>') == 5  # 5 SD, FWHM, transmurality, blood pool, confidence


def test_kinds_that_the_filter_knows_are_marked(page: str) -> None:
    assert re.findall(r'data-kinds="(.*?)"', page) == ["flagged scar mvo", ""]


def test_markup_from_the_input_is_escaped(page: str) -> None:
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&#39;maker&#39;)&lt;/script&gt;" in page
    assert "<b>new" not in page
    assert len(parsed(page).attributes("script")) == 1


def test_nothing_on_the_page_is_asked_from_another_host(page: str) -> None:
    for _, attributes in parsed(page).tags:
        for name in ("href", "src", "action", "srcset", "data"):
            assert not re.match(r"\w+:|//", attributes.get(name) or ""), attributes
    assert "http://" not in page
    assert "https://" not in page
    assert "@import" not in page
    assert "url(" not in page


def test_policy_allows_no_network_and_no_other_script(page: str) -> None:
    (policy,) = (a["content"] or "" for a in parsed(page).attributes("meta") if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src 'self' file:;")
    assert "unsafe" not in policy
    assert not re.search(r"\s(style|on\w+)=", re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL))


def test_pictures_are_copied_and_loaded_lazily(page: str, studies: Path, tmp_path: Path) -> None:
    (picture,) = parsed(page).attributes("img")
    assert picture["src"] == "pictures/s1.png"
    assert picture["loading"] == "lazy"
    assert "s1" in (picture["alt"] or "")
    copied = tmp_path / "report" / "pictures" / "s1.png"
    assert copied.read_bytes() == (studies / "s1" / "overlay.png").read_bytes()
    assert "No picture of this study was given." in page


def test_page_says_that_it_is_no_medical_device_and_what_made_it(page: str) -> None:
    assert "Not a medical device." in page
    assert "ab" * 32 in page
    assert "2026-11-23T15:00:00+00:00" in page


def test_equal_tables_give_equal_bytes(page: str, tables: Path, studies: Path, tmp_path: Path) -> None:
    write_report(tables, [studies], tmp_path / "again")
    assert (tmp_path / "again" / "index.html").read_text() == page


def test_cohort_without_measured_studies_has_a_page(tables: Path, tmp_path: Path) -> None:
    write_table("scans", [], tables / "scans.parquet", {})
    write_table("segments", [], tables / "segments.parquet", {})
    assert write_report(tables, [], tmp_path / "report") == 2
    page = (tmp_path / "report" / "index.html").read_text()
    assert "No study could be measured." in page
    assert parsed(page).open == []


def test_cohort_of_nothing_has_a_page(tables: Path, tmp_path: Path) -> None:
    for name in ("scans", "segments", "failures"):
        write_table(name, [], tables / f"{name}.parquet", {})
    assert write_report(tables, [], tmp_path / "report") == 0
    assert parsed((tmp_path / "report" / "index.html").read_text()).open == []


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


def test_study_id_with_odd_characters_is_linked_and_cannot_leave_the_folder(tables: Path, tmp_path: Path) -> None:
    odd = 'a b"<#%?'
    write_table("scans", [{"study_id": odd}], tables / "scans.parquet", {})
    folder = tmp_path / "studies" / odd
    folder.mkdir(parents=True)
    (folder / "overlay.png").write_bytes(b"picture")
    write_report(tables, [tmp_path / "studies"], tmp_path / "report")
    (picture,) = parsed((tmp_path / "report" / "index.html").read_text()).attributes("img")
    assert picture["src"] == "pictures/a%20b%22%3C%23%25%3F.png"
    assert (tmp_path / "report" / "pictures" / f"{odd}.png").read_bytes() == b"picture"


def test_study_id_that_is_a_path_raises(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be a file's name"):
        copy_picture(tmp_path / "overlay.png", tmp_path / "pictures", "../out")


def test_missing_table_raises(tables: Path, tmp_path: Path) -> None:
    (tables / "segments.parquet").unlink()
    with pytest.raises(CohortError, match=r"segments\.parquet is missing"):
        write_report(tables, [], tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_command_names_the_page(tables: Path, studies: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    result = CliRunner().invoke(command, [str(tables), "--studies", str(studies), "--out", str(out)])
    assert result.exit_code == 0
    assert result.stdout == f"{out / 'index.html'}: 4 studies.\n"
