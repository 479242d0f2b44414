"""Headers made to hurt: each ends in a kind of file, within the bounds of time and memory."""

import io
import os
import socket
from pathlib import Path

import pytest
from hostile_files import (
    EXPLICIT,
    IMAGE_FACTS,
    IMPLICIT,
    IMPLICIT_FACTS,
    SEQUENCE_END,
    UNDEFINED,
    Maker,
    deflated,
    element,
    implicit,
    item,
    per_frame,
    watched,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from scarnet_cli.dicom.bounds import FRAMES
from scarnet_cli.dicom.datasets import DAMAGE, read_dataset
from scarnet_cli.dicom.facts import FoundFile, Frame
from scarnet_cli.dicom.headers import BROKEN, IMAGE, JUNK, OBJECT, read_header
from scarnet_cli.dicom.series.selection import select
from scarnet_cli.index.index_input import IndexOptions, index_input
from scarnet_cli.index.write_index import write_index

ZEROS = bytes(1 << 20)


def position(values: bytes) -> bytes:
    return element(0x20, 0x9113, b"SQ", item(element(0x20, 0x32, b"DS", values)))


def nested(depth: int, tag: tuple[int, int]) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = element(*tag, b"SQ", item(inner))
    return inner


# What each claims, how it is made, and what it has to be.
HEADERS: dict[str, tuple[Maker, str]] = {
    "deflated_to_a_quarter_of_a_gigabyte": (lambda: deflated([IMAGE_FACTS, *[ZEROS] * 256]), BROKEN),
    "private_value_of_4_gb": (lambda: EXPLICIT + IMAGE_FACTS + element(0x29, 0x1001, b"OB", b"x", 0xFFFFFFF0), IMAGE),
    "groups_of_4_gb": (lambda: EXPLICIT + IMAGE_FACTS + per_frame(b"x", 0xFFFFFFF0), IMAGE),
    "numbers_without_end": (lambda: IMPLICIT + IMPLICIT_FACTS + implicit(0x28, 0x30, b"1\\" * 4_000_000), IMAGE),
    "whole_number_of_a_million_digits": (
        lambda: IMPLICIT + IMPLICIT_FACTS + implicit(0x20, 0x13, b"9" * 10**6),
        IMAGE,
    ),
    "study_uid_of_10_mb": (lambda: IMPLICIT + implicit(0x20, 0x0D, b"1.2." * 2_500_000) + IMPLICIT_FACTS[-20:], BROKEN),
    "description_of_40_mb": (lambda: IMPLICIT + implicit(8, 0x103E, b"x\\" * 20_000_000) + IMPLICIT_FACTS, BROKEN),
    "sequences_10000_deep": (
        lambda: EXPLICIT + IMAGE_FACTS + (element(0x29, 0x1010, b"SQ", b"", UNDEFINED) + item(b"", UNDEFINED)) * 10_000,
        BROKEN,
    ),
    "sequences_2000_deep_of_known_length": (lambda: EXPLICIT + IMAGE_FACTS + nested(2000, (0x5200, 0x9230)), IMAGE),
    "a_million_frames": (lambda: EXPLICIT + IMAGE_FACTS + per_frame(item(b"") * 1_000_000), IMAGE),
    "a_million_frames_without_end": (
        lambda: EXPLICIT + IMAGE_FACTS + per_frame(item(b"") * 1_000_000 + SEQUENCE_END, UNDEFINED),
        BROKEN,
    ),
    "a_million_elements": (lambda: EXPLICIT + IMAGE_FACTS + element(0x29, 0x1010, b"LO", b"") * 1_000_000, BROKEN),
    "long_numbers_in_every_frame": (
        lambda: EXPLICIT + IMAGE_FACTS + per_frame(item(position(b"1\\" * 500)) * (FRAMES // 2)),
        IMAGE,
    ),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_claims_too_much_is_read_within_bounds(name: str) -> None:
    make, kind = HEADERS[name]
    content = make()
    with watched():
        assert read_header(io.BytesIO(content), ".dcm").kind == kind


@pytest.mark.parametrize("value", [b"1e999999", b"nan ", b"inf ", b"1e300 ", b"9" * 4000, b"-" * 4000, b"9e15 "])
@pytest.mark.parametrize("number", [0x11, 0x13])
def test_numbers_that_are_none_reach_no_table(value: bytes, number: int, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dcm").write_bytes(IMPLICIT + IMPLICIT_FACTS + implicit(0x20, number, value))
    intake = index_input(tmp_path / "in", None, IndexOptions())
    write_index(intake, tmp_path / "out")
    assert [study.failure.code for study in intake.studies if study.failure] == ["no_geometry"]


def test_more_frames_than_a_stack_has_are_no_stack() -> None:
    (facts,) = read_header(
        io.BytesIO(EXPLICIT + IMAGE_FACTS + per_frame(item(position(b"0\\0\\0 ")) * (FRAMES + 1))), ""
    ).frames
    assert (facts.position_xyz_mm, facts.frame) == (None, None)


def test_a_deflated_file_is_bounded_when_it_is_read_whole() -> None:
    with watched(), pytest.raises(ValueError, match="longer than"):
        read_dataset(io.BytesIO(deflated([IMAGE_FACTS, *[ZEROS] * 260])))


def test_frames_of_three_thousand_directions_are_grouped_in_time() -> None:
    one = read_header(io.BytesIO(EXPLICIT + IMAGE_FACTS), "").frames[0]
    frames = [
        Frame(
            FoundFile(str(i), None, 0, 0),
            one._replace(
                orientation=(0.5, 0.0, 0.0, 0.0, 0.5, i * 1e-3),
                position_xyz_mm=(0.0, 0.0, float(i)),
                spacing_yx_mm=(1.0, 1.0),
            ),
        )
        for i in range(3000)
    ]
    with watched():
        assert select(frames).stack is None


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    os.mkfifo(folder / "pipe.dcm")
    (folder / "folder.dcm").mkdir()
    (folder / "device.dcm").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "s.dcm"))
        for name in (b"new\nline.dcm", b"\xff\xfe.dcm", b"\x1b[31mred.dcm"):
            Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(EXPLICIT + IMAGE_FACTS)  # noqa: PTH118
        intake = index_input(folder, None, IndexOptions())
    write_index(intake, tmp_path / "out")
    assert intake.counts[IMAGE] == 3


_VRS = st.sampled_from(
    [b"DS", b"IS", b"US", b"UI", b"SQ", b"UN", b"OB", b"LO", b"CS", b"FD", b"AT", b"TM", b"zz", b"\0\0"]
)
_TAGS = st.sampled_from(
    [
        *((0x08, 0x05), (0x08, 0x60), (0x20, 0x0D), (0x20, 0x32), (0x20, 0x37), (0x28, 0x08), (0x28, 0x10)),
        *((0x28, 0x30), (0x5200, 0x9230), (0x5200, 0x9229), (0x29, 0x1010), (0xFFFE, 0xE00D), (0x7FE0, 0x10)),
    ]
)
_VALUES = st.binary(max_size=24) | st.sampled_from([b"1\\2\\3", b"1e999", b"nan", b"ISO 2022 IR 87", b"\x1b$B!!"])
_LENGTHS = st.none() | st.sampled_from([0, 1, 0xFFFE, 0xFFFF])


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> bytes:
    """Draw a few elements, some of wrong VR, some of wrong length, some of them sequences."""
    found = b""
    for _ in range(draw(st.integers(0, 5))):
        tag, vr = draw(_TAGS), draw(_VRS)
        value = item(draw(elements(depth=depth - 1))) if depth and vr == b"SQ" else draw(_VALUES)
        found += element(*tag, vr, value, draw(_LENGTHS))
    return found


@settings(max_examples=150, deadline=None, derandomize=True)
@given(before=elements(), after=elements(), head=st.sampled_from([EXPLICIT, IMPLICIT]), cut=st.integers(0, 400))
def test_elements_of_wrong_kind_and_length_end_in_a_kind_of_file(
    before: bytes, after: bytes, head: bytes, cut: int
) -> None:
    content = head + before + IMAGE_FACTS + after
    for stream in (content, content[: len(content) - cut]):
        assert read_header(io.BytesIO(stream), ".dcm").kind in {IMAGE, OBJECT, BROKEN, JUNK}
    try:
        read_dataset(io.BytesIO(content))
    except DAMAGE:
        return
