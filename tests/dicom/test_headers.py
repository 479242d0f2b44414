"""Headers: what a file is, and that no damage ends the index."""

import io
import warnings

import pytest
from dicom_cases.multiframe import enhanced, item
from dicom_series import make_series
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from scarnet_cli.dicom.headers import BROKEN, IMAGE, JUNK, OBJECT, Header, read_header


def file_of(dataset: Dataset, *, preamble: bool = True) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue() if preamble else buffer.getvalue()[132:]


VALID = file_of(make_series(4)[0])


def read(content: bytes, suffix: str = "") -> Header:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # pydicom's warnings must not reach the log: they quote values
        return read_header(io.BytesIO(content), suffix)


def test_facts_are_read_and_the_person_is_not() -> None:
    (facts,) = read(VALID).frames
    assert (facts.rows, facts.columns, facts.spacing_yx_mm) == (40, 48, (1.4, 1.25))
    assert facts.acquired_s == 10 * 3600 + 15 * 60 + 0.5
    assert facts.image_type == "ORIGINAL\\PRIMARY\\PSIR"
    assert "Secret" not in repr(facts)


def test_a_file_without_preamble_and_suffix_is_read() -> None:
    assert read(file_of(make_series(4)[0], preamble=False)).kind == IMAGE


@pytest.mark.parametrize(
    ("content", "suffix", "kind"),
    [
        (b"", "", JUNK),
        (b"", ".dcm", BROKEN),
        (b"\x89PNG\r\n\x1a\n", ".png", JUNK),
        (b"plain words", "", JUNK),
        (b"plain words", ".IMA", BROKEN),
        (VALID[:300], "", BROKEN),
        (b"\x08\x00" + bytes(500), "", JUNK),
    ],
)
def test_kind_of_a_file(content: bytes, suffix: str, kind: str) -> None:
    assert read(content, suffix).kind == kind


def test_a_report_is_an_object_of_its_study() -> None:
    report = make_series(4)[0]
    for keyword in ("Rows", "Columns", "PixelData"):
        delattr(report, keyword)
    report.Modality = "SR"
    assert read(file_of(report)) == Header(OBJECT, "1.2.840.99.7.1")


@pytest.mark.parametrize(
    ("good", "bad", "fact"),
    [
        (b"101500.500000", b"99:99:zz.0000", "acquired_s"),
        (b"1.4\\1.25", b"1.4\\x.25", "spacing_yx_mm"),
        (b"1.4\\1.25", b"1\\1e9999", "spacing_yx_mm"),
    ],
)
def test_a_value_that_makes_no_sense_is_no_value(good: bytes, bad: bytes, fact: str) -> None:
    assert VALID.count(good) == 1
    (facts,) = read(VALID.replace(good, bad.ljust(len(good)))).frames
    assert getattr(facts, fact) is None


def test_a_vendor_s_own_sequence_of_a_frame_does_not_go_before_the_standard_s() -> None:
    """Philips repeats a classic image's elements in (2005,140F) of each frame."""
    dataset = enhanced(make_series(2))
    dataset.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence = [item(RescaleSlope=2)]
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        block = frame.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
        block.add_new(0x0F, "SQ", [item(RescaleSlope=5, SOPInstanceUID="1.2.3", SeriesNumber=77)])
    found = {(facts.slope, facts.sop_uid, facts.series_number) for facts in read(file_of(dataset)).frames}
    assert found == {(2.0, dataset.SOPInstanceUID, 4)}


def test_frames_without_a_group_of_their_own_lie_nowhere() -> None:
    dataset = enhanced(make_series(3))
    del dataset.PerFrameFunctionalGroupsSequence[2]
    assert [facts.position_xyz_mm for facts in read(file_of(dataset)).frames] == [None]


def test_damaged_values_are_not_quoted_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    read(VALID.replace(b"Secret^Person", b"Secret^P\x00\xffson").replace(b"1.2.840.99.7.1", b"1.2.840.99.7x1"))
    assert caplog.text == ""


@settings(max_examples=100, deadline=None)
@given(
    flips=st.lists(st.tuples(st.integers(0, 1400), st.integers(0, 255)), max_size=12),
    cut=st.integers(0, len(VALID)),
)
def test_damage_never_ends_the_index(flips: list[tuple[int, int]], cut: int) -> None:
    content = bytearray(VALID)
    for place, value in flips:
        content[place % len(content)] = value
    assert read(bytes(content[:cut])).kind in {IMAGE, OBJECT, BROKEN, JUNK}


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=400))
def test_random_bytes_never_end_the_index(content: bytes) -> None:
    for start in (b"", bytes(128) + b"DICM", b"\x08\x00\x05\x00"):
        assert read(start + content).kind in {IMAGE, OBJECT, BROKEN, JUNK}
