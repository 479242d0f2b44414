"""The short way through a header is pydicom's way or none: `walk` gives up, or the facts are the same."""

import io
import struct
from pathlib import Path

import pydicom.data
import pytest
from dicom_series import make_series
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian
from pydicom.uid import ImplicitVRLittleEndian as Implicit

from scarnet_cli.dicom.headers import Header, image_header, read_by_pydicom
from scarnet_cli.dicom.walk import BLOCK, WANTED, walk

Explicit = ExplicitVRLittleEndian


def short_way(content: bytes) -> Header | None:
    elements = walk(io.BytesIO(content), content[:BLOCK])
    return None if elements is None else image_header(elements)


def agree(content: bytes) -> bool:
    """Check that both ways agree; return whether the short one was gone."""
    found = short_way(content)
    if found is None:
        return False
    # repr tells -0.0 from 0.0 and a number from a subclass of it
    assert repr(found) == repr(read_by_pydicom(io.BytesIO(content), meant=True))
    return True


def file_of(dataset: Dataset, syntax: UID = Explicit) -> bytes:
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = bytes(8)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def rich_dataset(private_bytes: int = 40, *, undefined_lengths: bool = True) -> Dataset:
    """Return an image with every wanted element, private ones, and sequences of both kinds of length, nested."""
    dataset = make_series(4)[2]
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.AcquisitionDateTime, dataset.StudyTime, dataset.SeriesTime = "20210304101500.25", "101112.5", "101200"
    dataset.ContentDate, dataset.ContentTime = "20210304", "101700"
    dataset.ProtocolName, dataset.ComplexImageComponent = "LGE protocol", "REAL"
    dataset.ScanningSequence, dataset.SequenceVariant = ["GR", "IR"], ["SK", "MP"]
    dataset.SequenceName, dataset.PulseSequenceName, dataset.InversionTime = "*tfl2d1_16", "TFL", "300"
    dataset.NumberOfFrames, dataset.RescaleSlope, dataset.RescaleIntercept = 1, "0.37", "-12.5"
    for undefined in {False, undefined_lengths}:
        inner, outer = Dataset(), Dataset()
        inner.CodeValue, inner.CodeMeaning = "T-32000", "Heart"
        outer.ReferencedSOPInstanceUID = "1.2.3"
        outer.AnatomicRegionSequence = Sequence([inner, Dataset()])
        keyword = "ReferencedImageSequence" if undefined else "ReferencedStudySequence"
        setattr(dataset, keyword, Sequence([outer, Dataset()]))
        for owner, name in ((outer, "AnatomicRegionSequence"), (dataset, keyword)):
            owner[name].value.is_undefined_length = owner[name].is_undefined_length = undefined
        outer.is_undefined_length_sequence_item = inner.is_undefined_length_sequence_item = undefined
    dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", bytes(private_bytes))
    return dataset


RICH = {
    Explicit: file_of(rich_dataset()),
    Implicit: file_of(rich_dataset(undefined_lengths=False), Implicit),
}
CONTENTS = [*RICH.values(), file_of(make_series(4)[0])]


def element(tag: int, vr: str, value: bytes, syntax: UID) -> bytes:
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if syntax == Implicit:
        return head + struct.pack("<L", len(value)) + value
    if vr in ("OB", "OW", "OF", "SQ", "UN", "UT", "UC"):
        return head + vr.encode() + bytes(2) + struct.pack("<L", len(value)) + value
    return head + vr.encode() + struct.pack("<H", len(value)) + value


def with_elements(added: dict[int, tuple[str, bytes]], syntax: UID) -> bytes:
    """Return a file with elements written byte by byte, in order, among those that an image must have."""
    needed = {"StudyInstanceUID": b"1.2.3\0", "Rows": b"\x20\0", "Columns": b"\x30\0"}
    elements = {tag_for_keyword(k): (dictionary_VR(k), value) for k, value in needed.items()} | added
    body = b"".join(element(tag or 0, vr, value, syntax) for tag, (vr, value) in sorted(elements.items()))
    start = RICH[syntax][: RICH[syntax].index(b"\x08\x00\x05\x00")]
    return start + body + element(0x7FE00010, "OW", bytes(8), syntax)


def test_wanted_elements_have_their_names_and_vrs_of_the_dictionary() -> None:
    assert {tag_for_keyword(keyword): (keyword, dictionary_VR(keyword)) for keyword, _ in WANTED.values()} == WANTED


def test_the_plain_files_of_archives_go_the_short_way() -> None:
    assert all(agree(content) for content in CONTENTS)
    assert agree(file_of(rich_dataset(private_bytes=3 * BLOCK)))


def test_other_transfer_syntaxes_and_functional_groups_are_left_to_pydicom() -> None:
    for syntax in (ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian):
        assert short_way(file_of(rich_dataset(), syntax)) is None
    assert short_way(file_of(rich_dataset(), Implicit)) is None  # only a dictionary tells what a length hides
    dataset = rich_dataset()
    dataset.SharedFunctionalGroupsSequence = Sequence([Dataset()])
    assert short_way(file_of(dataset)) is None


@pytest.mark.parametrize(
    "character_set", ["ISO_IR 100", "ISO_IR 192", "ISO_IR 13", "ISO 2022 IR 87", "\\ISO 2022 IR 87"]
)
def test_text_beyond_ascii_is_left_to_pydicom(character_set: str) -> None:
    for name in (b"LGE", "LGE kurze Achse für".encode(), b"\x1b$B$3$3\x1b(B"):
        added = {0x00080005: ("CS", character_set.encode()), 0x0008103E: ("LO", name)}
        gone = agree(with_elements(added, Explicit))
        assert gone is (name == b"LGE" and character_set in ("ISO_IR 100", "ISO_IR 192"))


def test_pydicoms_own_test_files_are_read_alike() -> None:
    paths = sorted((Path(pydicom.data.__file__).parent / "test_files").glob("*.dcm"))
    assert len(paths) > 50
    assert sum(agree(path.read_bytes()) for path in paths) > 5


@given(
    content=st.sampled_from(CONTENTS),
    flips=st.lists(st.tuples(st.integers(0, 2500), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 2500),
)
@settings(max_examples=1500)
def test_damaged_files_are_read_alike(content: bytes, flips: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(content)
    for place, value in flips:
        damaged[place % len(damaged)] = value
    agree(bytes(damaged))
    agree(bytes(damaged[: cut % len(damaged)]))


@given(content=st.sampled_from(CONTENTS), place=st.integers(128, 2500), count=st.integers(1, 12), inserted=st.binary())
@settings(max_examples=700)
def test_files_with_bytes_put_in_or_taken_out_are_read_alike(
    content: bytes, place: int, count: int, inserted: bytes
) -> None:
    place %= len(content)
    agree(content[:place] + inserted + content[place:])
    agree(content[:place] + content[place + count :])


WORDS = st.text("0123456789.+-eE \\\0\tAM_^=é\x1b", max_size=24).map(lambda t: t.encode("latin-1"))
NUMBERS = st.sampled_from(
    [b"1", b"-0", b"1.5\\2.5", b" 3 ", b"1e5", b"\\", b"1\\", b"1_0", b"nan", b"-inf", b"1e999", b"+.5"]
)
KINDS = [
    "AE",
    "CS",
    "DA",
    "DS",
    "DT",
    "IS",
    "LO",
    "LT",
    "OB",
    "PN",
    "SH",
    "SQ",
    "SS",
    "TM",
    "UC",
    "UI",
    "UN",
    "US",
    "UT",
]


@given(
    tag=st.sampled_from(sorted(WANTED)),
    vr=st.none() | st.sampled_from(KINDS),
    value=WORDS | NUMBERS | st.binary(max_size=8),
    syntax=st.sampled_from([Explicit, Implicit]),
)
@settings(max_examples=1500)
def test_any_value_of_a_wanted_element_is_read_alike(tag: int, vr: str | None, value: bytes, syntax: UID) -> None:
    agree(with_elements({tag: (vr or WANTED[tag][1], value)}, syntax))


ODD_TAGS = st.integers(0x00080000, 0x7FE00008) | st.builds(
    lambda g, e: (2 * g + 9) << 16 | e, *[st.integers(0, 9999)] * 2
)


@given(
    elements=st.dictionaries(ODD_TAGS, st.tuples(st.sampled_from(KINDS), st.binary(max_size=40)), max_size=8),
    syntax=st.sampled_from([Explicit, Implicit]),
)
@settings(max_examples=700)
def test_private_and_unknown_elements_are_stepped_over_alike(
    elements: dict[int, tuple[str, bytes]], syntax: UID
) -> None:
    agree(with_elements(elements, syntax))


DELIMITERS = [b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"]
TOKENS = [*DELIMITERS, b"\xff\xff\xff\xff", b"\0\0\0\0", b"SQ\0\0", b"UN\0\0"]


@given(damage=st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=1) | st.sampled_from(TOKENS))))
@example(damage=[(20, b"\xfe\xff\x0d\xe0")])  # the first tag in an item becomes the item's end, with a VR
@settings(max_examples=1000)
def test_damaged_sequences_are_stepped_over_alike(damage: list[tuple[int, bytes]]) -> None:
    damaged = bytearray(RICH[Explicit])
    first = damaged.index(b"\x08\x00\x40\x11")  # ReferencedImageSequence
    last = damaged.index(b"\x18\x00\x20\x00")
    for place, value in damage:
        start = first + place % (last - first)
        damaged[start : start + len(value)] = value
    agree(bytes(damaged))
