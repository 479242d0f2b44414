"""Stacks and names that may be one or two: told apart by what they are, else refused; never by a UID or by chance."""

from dataclasses import replace
from pathlib import Path

import pytest
from dicom_cases.edits import rename
from dicom_series import make_series, save
from made_studies import choice, codes, stack

from scarnet_cli.dicom.results.export_study import read_sources
from scarnet_cli.dicom.series.selection import select
from scarnet_cli.errors import DicomError
from scarnet_cli.index.files.same_patient import name_words, same_name
from scarnet_cli.index.index_input import IndexOptions, index_input


def test_two_stacks_that_differ_in_their_uid_alone_are_refused() -> None:
    taken, selection = choice(stack("LGE_SAX", uid="1.2.1"), stack("LGE_SAX", uid="1.2.2"))
    assert taken is None
    assert selection.error is not None
    assert selection.error.code == "stacks_not_told_apart"


@pytest.mark.parametrize("uid", [None, "1.2.9"])
def test_two_stacks_of_one_series_without_times_are_refused(uid: str | None) -> None:
    same = {"uid": "1.2.9", "series_uid": uid, "acquired_s": None, "series_number": None, "instance_number": None}
    taken, selection = choice(stack("LGE_SAX", **same), stack("LGE_SAX", slope=1.5, **same))
    assert taken is None
    assert selection.error is not None
    assert selection.error.code == "stacks_not_told_apart"


def test_of_an_image_that_is_there_in_two_encodings_the_larger_file_is_read() -> None:
    """The smaller may be compressed with loss, or cut short."""
    large = stack("LGE_SAX", uid="1.2.1")
    small = [frame._replace(file=frame.file._replace(path=f"z{n}", size=0)) for n, frame in enumerate(large)]
    for frames in ([*small, *large], [*large, *small]):
        taken = select(frames).stack
        assert taken is not None
        assert set(taken.frames) == set(large)


def test_a_later_stack_of_other_extent_in_one_series_fills_no_gap_of_the_first() -> None:
    first, second = stack("LGE_SAX", 10, uid="1.2.9"), stack("LGE_SAX", 9, uid="1.2.9", at=16)
    _, selection = choice(first, second)
    assert selection.stack is not None
    assert set(selection.stack.frames) == set(second)
    assert "latest_stack_chosen" in codes(selection)


def test_a_series_number_tells_stacks_without_series_uid_apart() -> None:
    same = {"series_uid": None, "uid": "1.2.9", "acquired_s": None}
    first, second = stack("LGE_SAX", series_number=4, **same), stack("LGE_SAX", series_number=5, **same)
    _, selection = choice(first, second)
    assert selection.stack is not None
    assert {frame.facts.series_number for frame in selection.stack.frames} == {5}
    assert "latest_stack_chosen" in codes(selection)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("DOE^JANE", "Doe Jane", True),
        ("DOE^JANE", "Doe^J", True),
        ("Müller^Hans", "MUELLER^HANS", True),
        ("Meier^Karl", "Meyer^Karl", True),
        ("DOE^JANE", "DOE^JOHN", False),
        ("A", "B", False),
        ("ANON001", "ANON002", False),
    ],
)
def test_spellings_of_a_name_are_one_name(a: str, b: str, same: bool) -> None:  # noqa: FBT001
    assert same_name(name_words(a.encode()), name_words(b.encode("latin-1"))) is same


def test_a_row_with_files_of_two_patients_is_refused_without_their_names(tmp_path: Path) -> None:
    for name in ("Roe", "Doe"):
        series = make_series(study="1.2.3", series=f"1.2.{len(name)}.{ord(name[0])}")
        for dataset in series:
            dataset.PatientID = dataset.PatientName = name
        save(series, tmp_path / "in" / name)
    (tmp_path / "sheet.csv").write_text("study,dicom\nS1,in\n")
    (study,) = index_input(tmp_path / "sheet.csv", None, IndexOptions()).studies
    assert study.failure is not None
    assert study.failure.code == "several_patients"
    assert "PatientID has 2 values, PatientName has 2 values" in study.failure.message
    assert "Roe" not in study.failure.message


def test_images_that_share_a_uid_are_not_referred_to(tmp_path: Path) -> None:
    series = make_series()
    for dataset in series:
        rename(dataset, "1.2.3")
    save(series, tmp_path)
    (study,) = index_input(tmp_path, None, IndexOptions()).studies
    assert study.entry is not None
    assert study.entry.flags == ("repeated_instance_uid",)
    for flags in (study.entry.flags, ()):
        with pytest.raises(DicomError) as refused:
            read_sources(replace(study.entry, flags=flags), tmp_path)
        assert refused.value.code == "ambiguous_reference"
