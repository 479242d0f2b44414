"""Every form of input, and all that may lie in one: read, or told with the reason; and the page says what happens."""

import os
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner
from dicom_series import stored_pixels
from exported_study import label
from input_kinds import IS, KINDS, Kind, contents, nifti, put, row, study, tarred, zipped

from scarnet_cli.cli.main import cli
from scarnet_cli.dicom import archives
from scarnet_cli.dicom.batch import read_batch
from scarnet_cli.dicom.convert_stage import convert_batch
from scarnet_cli.dicom.identity import path_key, study_id_from_uid
from scarnet_cli.dicom.packing import REFUSED
from scarnet_cli.errors import InputError
from scarnet_cli.image.volume import read_nifti
from scarnet_cli.index.files.cache import read_cache, write_cache
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.index.inputs import read_input
from scarnet_cli.index.records import Index
from scarnet_cli.index.unread import REASONS
from scarnet_cli.index.write_index import write_index

PAGE = Path(__file__).parents[2] / "docs" / "usage.md"
ROWS = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("one", KINDS, ids=lambda one: one.make.__name__ if one.table == IS else one.found[:40])
def test_every_kind_of_input_ends_as_the_page_says(one: Kind, tmp_path: Path) -> None:
    assert row(one, tmp_path) in ROWS, "run .venv/bin/python tools/document.py inputs"


def test_the_pages_tell_every_reason_and_have_no_other_row() -> None:
    page = PAGE.read_text()
    made = [part.split("<!-- end")[0] for part in page.split("made by tools/document.py inputs -->")[1:]]
    assert sum(part.count("\n| ") for part in made) == len(KINDS) + len(made)
    reasons = (PAGE.parent / "dicom.md").read_text()
    assert all(f"| `{reason}` |" in reasons for reason in REASONS)
    assert set(REFUSED) < set(REASONS)


def index(source: Path, memory: pa.Table | None = None) -> Index:
    return index_input(source, memory, IndexOptions())


def cohort_of_archives(folder: Path, *numbers: int) -> Path:
    inner = {f"p{number}.zip": zipped(contents(number)) for number in numbers}
    return put(folder, {"cohort.tar.gz": tarred({"all.zip": zipped(inner), "notes.txt": b"words"})})


def test_archives_in_an_unchanged_archive_are_not_opened_again(tmp_path: Path) -> None:
    source = cohort_of_archives(tmp_path / "in", 1, 2)
    before = index(source)
    assert [study.failure for study in before.studies] == [None, None]
    write_cache(before.memory, tmp_path / "index.parquet")
    path = source / "cohort.tar.gz"
    status = path.stat()
    path.write_bytes(bytes(status.st_size))  # garbage of the same size and time: reading it would show
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = index(source, read_cache([tmp_path / "index.parquet"]))
    assert after.studies == before.studies
    assert after.counts == before.counts
    write_cache(after.memory, tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == (tmp_path / "index.parquet").read_bytes()


def test_a_changed_member_of_an_archive_in_an_archive_changes_its_study(tmp_path: Path) -> None:
    before = index(cohort_of_archives(tmp_path, 1))
    files = contents(1)
    del files["006.dcm"]
    inner = {"p1.zip": zipped(files)}
    after = index(put(tmp_path, {"cohort.tar.gz": tarred({"all.zip": zipped(inner)})}), before.memory)
    entries = [intake.studies[0].entry for intake in (before, after)]
    assert [entry and len(entry.sources) for entry in entries] == [7, 6]
    assert len({entry and entry.digest for entry in entries}) == 2


def test_a_study_in_an_archive_in_an_archive_is_read_in_one_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = cohort_of_archives(tmp_path / "in", 1, 2, 3)
    (path,) = write_index(index(source), tmp_path / "out")
    opened: list[int] = []
    held = archives._held
    monkeypatch.setattr(archives, "_held", lambda *arguments: opened.append(1) or held(*arguments))
    assert convert_batch(read_batch(path), tmp_path / "converted") == []
    assert len(opened) == 3 * 2  # of each study the archive of all, and its own
    for number in (1, 2, 3):
        study_id = study_id_from_uid(f"1.2.840.99.7.{number}")
        image = read_nifti(tmp_path / "converted" / "studies" / study_id / "image.nii.gz")
        assert (image.array == stored_pixels(7)).all()


def test_results_of_this_pipeline_are_no_change_of_a_study(tmp_path: Path) -> None:
    study(tmp_path / "in")
    before = index(tmp_path / "in")
    exported = label(tmp_path / "in", tmp_path / "work").export()
    shutil.copytree(exported, tmp_path / "in" / "results")
    after = index(tmp_path / "in", before.memory)
    assert after.studies == before.studies
    assert after.counts == {"image": 7, "own_result": 2}
    put(tmp_path, {"in/results.zip": zipped({path.name: path.read_bytes() for path in exported.iterdir()})})
    (tmp_path / "sheet.csv").write_text("study,dicom\nP1,in\n")
    (row_before,) = index(tmp_path / "sheet.csv").studies
    (tmp_path / "in" / "results" / "seg.dcm").unlink()
    (row_after,) = index(tmp_path / "sheet.csv").studies
    assert row_after == row_before


def scarnet_index(*arguments: object) -> str:
    result = CliRunner().invoke(cli, ["index", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stderr


def test_folders_of_the_run_are_not_searched_unless_they_are_the_input(tmp_path: Path) -> None:
    study(tmp_path / "in" / "p1", 1)
    study(tmp_path / "in" / "work" / "p2", 2)
    (tmp_path / "same").symlink_to(tmp_path / "in" / "work")
    said = scarnet_index(tmp_path / "in", "--out", tmp_path / "a", "--leave-out", tmp_path / "same")
    assert "1 study in 1 batch, 0 failed; files: 7 image; not read: 1, see unread.parquet" in said
    said = scarnet_index(tmp_path / "in" / "work", "--out", tmp_path / "b", "--leave-out", tmp_path / "same")
    assert "1 study in 1 batch, 0 failed; files: 7 image\n" in said


def test_the_last_line_counts_what_was_passed_over(tmp_path: Path) -> None:
    study(tmp_path / "in")
    nifti(tmp_path / "in" / "image.nii.gz")
    put(tmp_path / "in", {"notes.txt": b"words", "._000.dcm": b"\0\5\x16\7", "a.rar": b"Rar!\x1a\x07\0"})
    said = scarnet_index(tmp_path / "in", "--out", tmp_path / "out")
    assert "files: 7 image; passed over: 2 other, 1 NIfTI, 1 archives of an unknown kind; not read: 2" in said


def test_a_nifti_file_is_a_study_without_its_name_and_can_be_found(tmp_path: Path) -> None:
    path = nifti(tmp_path / "DOE_JOHN.nii.gz")
    (found,) = index(path).studies
    assert found.study_id == path_key("DOE_JOHN.nii.gz")[:16]
    said = CliRunner().invoke(cli, ["find", str(path), found.study_id]).output
    assert said == f"{path}\n"


@pytest.mark.parametrize("name", ["cohort.xlsx", "cohort.ods", "cohort.numbers", "cohort.xls"])
def test_a_workbook_is_known_by_its_name_even_where_it_is_damaged(tmp_path: Path, name: str) -> None:
    put(tmp_path, {name: b"PK\3\4 damaged" if name != "cohort.xls" else b"\xd0\xcf\x11\xe0"})
    with pytest.raises(InputError, match="save it as CSV"):
        read_input(tmp_path / name)


def test_a_nifti_file_that_is_not_called_so_says_what_to_do(tmp_path: Path) -> None:
    nifti(tmp_path / "image.nii").rename(tmp_path / "image")
    with pytest.raises(InputError, match=r"rename it to end in \.nii or \.nii\.gz"):
        read_input(tmp_path / "image")


def test_a_row_that_names_what_cannot_be_opened_fails_in_words(tmp_path: Path) -> None:
    put(tmp_path, {"a.rar": b"Rar!\x1a\x07\0", "sheet.csv": b"study,dicom\nA,a.rar\n"})
    (found,) = index(tmp_path / "sheet.csv").studies
    assert found.failure
    assert found.failure.code == "no_dicom"
    assert "must be unpacked" in found.failure.message
