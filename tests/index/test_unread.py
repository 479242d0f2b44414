"""What cannot be read is a row, never the end and never left out without a word."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from dicom_series import make_series, save, stored_pixels

from scarnet_cli.cli.main import cli
from scarnet_cli.dicom.batch import read_batch
from scarnet_cli.dicom.convert_stage import convert_batch
from scarnet_cli.dicom.identity import path_key, study_id_from_uid
from scarnet_cli.errors import InputError, MachineError
from scarnet_cli.image.volume import read_nifti
from scarnet_cli.index.files.read_contents import ReadOptions
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.index.records import Index
from scarnet_cli.index.write_index import write_index
from scarnet_cli.progress import Advance
from scarnet_cli.tables.parquet import read_table

STUDY = study_id_from_uid("1.2.840.99.7.1")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    save(make_series(), tmp_path / "in" / "patient")
    return tmp_path / "in"


def index(source: Path) -> Index:
    return index_input(source, None, IndexOptions())


def at_reading(begin: Callable[[], object], advance: Callable[[], object] = lambda: None) -> IndexOptions:
    """Return options that have something done when files begin to be read, and after each of them."""

    @contextmanager
    def progress(title: str, total: int | None = None, done: int = 0) -> Iterator[Advance]:
        reading = title == "files read"
        if reading:
            begin()

        def after_each(steps: int = 1, text: str = "") -> None:
            if reading:
                advance()

        yield after_each

    return IndexOptions(ReadOptions(progress=progress))


def reasons(intake: Index) -> set[tuple[str, str, str, int]]:
    return {(row.place, row.kind, row.reason, row.count) for row in intake.unread}


def place(path: str) -> str:
    return path_key(path)[:16]


def test_loops_of_links_are_rows_and_lose_nothing(source: Path) -> None:
    (source / "patient" / "back").symlink_to(source)
    (source / "self").symlink_to("self")
    found = index(source)
    assert reasons(found) == {
        (place("patient/back"), "folder", "walked_before", 1),
        (place("self"), "file", "link_loop", 1),
    }
    assert [study.failure for study in found.studies] == [None]
    assert found.studies[0].entry
    assert found.studies[0].entry.flags == ()


def test_pipes_and_sockets_are_rows_and_are_not_opened(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(source / "patient")  # a socket's path may have 108 bytes
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        found = index(source)
    assert reasons(found) == {(place("patient"), "file", "no_file", 2)}


def test_links_that_lead_nowhere_are_a_flag_of_the_study_beside_or_a_failure(source: Path) -> None:
    (source / "patient" / "gone.dcm").symlink_to("nowhere")
    (source / "annex").mkdir()
    for name in ("a", "b"):
        (source / "annex" / name).symlink_to("nowhere")
    found = index(source)
    assert reasons(found) == {(place("annex"), "file", "dead_link", 2), (place("patient"), "file", "dead_link", 1)}
    studies = {study.study_id: study for study in found.studies}
    entry = studies[STUDY].entry
    assert entry
    assert entry.flags == ("unreadable_files",)
    failure = studies[place("annex")].failure
    assert failure
    assert (failure.code, failure.message[:7]) == ("not_readable", "2 files")


@contextmanager
def unlistable(parent: Path) -> Iterator[str]:
    """Make folders so deep that the path of the last is longer than the operating system takes; yield its path."""
    name = "d" * 250
    depth = (4096 - len(str(parent))) // 251 + 1
    here = os.open(parent, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    yield "/".join([name] * depth)


def test_a_folder_that_cannot_be_listed_is_a_failure_that_can_be_found(tmp_path: Path, source: Path) -> None:
    with unlistable(source) as deep:
        result = CliRunner().invoke(cli, ["index", str(source), "--out", str(tmp_path / "out")])
        assert result.exit_code == 0, result.output
        assert "2 studies in 1 batch, 1 failed; files: 7 image; not read: 1, see unread.parquet" in result.stderr
        (row,) = read_table(tmp_path / "out" / "failures.parquet").to_pylist()
        assert (row["study_id"], row["code"]) == (place(deep), "unreadable_folder")
        (unread,) = read_table(tmp_path / "out" / "unread.parquet").to_pylist()
        assert (unread["place"], unread["reason"]) == (place(deep), "unreadable")
        found = CliRunner().invoke(cli, ["find", str(source), row["study_id"]])
        assert found.output == f"{source / deep}\n"
    shown = str([row, unread]) + result.output
    assert "ddd" not in shown
    assert str(source) not in shown


def test_find_prints_the_folder_of_files_that_could_not_be_read(source: Path) -> None:
    (source / "lost").mkdir()
    (source / "lost" / "a.dcm").write_bytes(b"garbage")
    (source / "alone.dcm").write_bytes(b"garbage")
    failed = [study.study_id for study in index(source).studies if study.failure]
    found = {CliRunner().invoke(cli, ["find", str(source), study_id]).output for study_id in failed}
    assert found == {f"{source / 'lost'}\n", f"{source / 'alone.dcm'}\n"}
    result = CliRunner().invoke(cli, ["find", str(source), "0" * 16])
    assert isinstance(result.exception, InputError)


def test_out_is_needed(source: Path) -> None:
    result = CliRunner().invoke(cli, ["index", str(source)])
    assert result.exit_code == 2
    assert "--out" in result.stderr


def test_a_file_that_vanishes_before_it_is_read_is_a_flag_of_its_study(source: Path) -> None:
    gone = source / "patient" / "006.dcm"
    found = index_input(source, None, at_reading(gone.unlink))
    assert reasons(found) == {(place("patient"), "file", "vanished", 1)}
    (study,) = found.studies
    assert study.entry
    assert study.entry.flags == ("unreadable_files",)
    assert len(study.entry.sources) == 6
    assert found.counts == {"image": 6, "vanished": 1}


def test_an_unreadable_file_alone_in_its_folder_is_of_the_one_study_below_the_folder_above(source: Path) -> None:
    (source / "patient" / "series_2").mkdir()
    (source / "patient" / "series_2" / "gone.dcm").symlink_to("nowhere")
    (study,) = index(source).studies
    assert study.entry
    assert study.entry.flags == ("unreadable_files",)


def test_an_unreadable_file_below_a_folder_of_several_studies_is_of_none_of_them(source: Path) -> None:
    save(make_series(study="1.2.840.99.7.2", series="1.2.840.99.8.2"), source / "patient" / "later")
    (source / "patient" / "series_2").mkdir()
    (source / "patient" / "series_2" / "gone.dcm").symlink_to("nowhere")
    studies = {study.study_id: study for study in index(source).studies}
    failure = studies.pop(place("patient/series_2")).failure
    assert failure
    assert failure.code == "not_readable"
    assert [study.entry and study.entry.flags for study in studies.values()] == [(), ()]


def test_a_study_that_vanishes_before_it_is_read_is_a_failure(source: Path) -> None:
    other = save(make_series(study="1.2.840.99.7.2", series="1.2.840.99.8.2"), source / "other")

    def remove() -> None:
        for path in other:
            path.unlink()

    found = index_input(source, None, at_reading(remove))
    failures = {study.study_id: study.failure.code for study in found.studies if study.failure}
    assert failures == {place("other"): "not_readable"}
    assert reasons(found) == {(place("other"), "file", "vanished", 7)}


def test_a_vanished_file_in_a_row_of_a_samplesheet_is_a_flag_of_it(tmp_path: Path, source: Path) -> None:
    (source / "patient" / "gone").symlink_to("nowhere")
    (tmp_path / "sheet.csv").write_text("study,dicom\nA,in/patient\nB,in\n")
    found = index(tmp_path / "sheet.csv")
    assert [study.entry and study.entry.flags for study in found.studies] == [("counted_twice", "unreadable_files")] * 2
    assert reasons(found) == {(place("in/patient"), "file", "dead_link", 1)}


def test_an_input_of_which_nothing_can_be_read_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").symlink_to("nowhere")
    with pytest.raises(
        InputError, match=r"0 files, none of them is one \(1 folders, links or files could not be read\)"
    ):
        index(tmp_path / "in")


def test_names_that_are_no_text_are_read(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/in/caf\xe9 \xff"))
    save(make_series(), folder, lambda i: os.fsdecode(b"\xfe%d" % i))
    (batch,) = write_index(index(tmp_path / "in"), tmp_path / "out")
    assert convert_batch(read_batch(batch), tmp_path / "converted") == []
    image = read_nifti(tmp_path / "converted" / "studies" / STUDY / "image.nii.gz")
    assert (image.array == stored_pixels(7)).all()


def test_an_input_that_is_away_while_it_is_read_is_no_loss_of_studies(tmp_path: Path, source: Path) -> None:
    away = tmp_path / "away"
    with pytest.raises(MachineError, match="is not there"):
        index_input(source, None, at_reading(lambda: source.rename(away)))
    with pytest.raises(MachineError, match="is not there"):
        index(source)
    away.rename(source)

    def replaced() -> None:  # as a mount point is, after its share has gone
        source.rename(away)
        source.mkdir()

    with pytest.raises(MachineError, match="replaced or mounted anew"):
        index_input(source, None, at_reading(replaced))


def test_files_that_were_away_for_a_while_are_no_loss_of_a_study(tmp_path: Path, source: Path) -> None:
    patient, away = source / "patient", tmp_path / "away"

    def back() -> None:
        if away.exists():
            away.rename(patient)

    options = at_reading(lambda: patient.rename(away), back)
    with pytest.raises(MachineError, match="1 files or folders of the input were gone for a while"):
        index_input(source, None, options)


@pytest.mark.parametrize(("row", "code"), [("in/patient", "input_gone"), ("in", "input_gone")])
def test_what_a_row_of_a_samplesheet_names_may_not_go_meanwhile(
    tmp_path: Path, source: Path, row: str, code: str
) -> None:
    (tmp_path / "sheet.csv").write_text(f"study,dicom\nA,{row}\n")
    with pytest.raises(MachineError) as caught:
        index_input(tmp_path / "sheet.csv", None, at_reading(lambda: source.rename(tmp_path / "away")))
    assert caught.value.code == code


def test_an_input_that_was_there_when_the_run_began_is_waited_for(tmp_path: Path) -> None:
    arguments = ["index", str(tmp_path / "gone"), "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(cli, arguments).exit_code == 2
    result = CliRunner().invoke(cli, [*arguments, "--will-retry"])
    assert isinstance(result.exception, MachineError)
    assert str(tmp_path) not in str(result.exception)
