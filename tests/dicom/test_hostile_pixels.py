"""Pixels made to hurt: compressed frames that do not fit their header, and stacks that fill memory."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dicom_series import make_series, save
from hostile_files import watched
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import UID, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from scarnet_cli.dicom.codestream import jpeg_2000_size, jpeg_size
from scarnet_cli.dicom.pixels import read_volume
from scarnet_cli.dicom.study_entry import Source
from scarnet_cli.errors import DicomError
from scarnet_cli.index.index_input import IndexOptions, index_input

ROWS, COLUMNS = 40, 48


def compressed(dataset: Dataset, syntax: UID) -> Dataset:
    dataset.compress(syntax, generate_instance_uid=False)
    return dataset


def coded(dataset: Dataset) -> bytearray:
    """Return the coded frame of a compressed data set."""
    return bytearray(get_frame(dataset.PixelData, 0, number_of_frames=1))


def refusal(slices: list[Dataset], folder: Path) -> str:
    """Return the code with which a stack is refused."""
    sources = [Source(path.name, None, None) for path in save(slices, folder)]
    with watched(), pytest.raises(DicomError) as refused:
        read_volume(folder, sources)
    return refused.value.code


def j2k_of(rows: int, columns: int, tile: int, components: int = 1) -> bytes:
    """Return a JPEG 2000 header that says any size, and nothing after it."""
    size = struct.pack(">HH8IH", 38 + 3 * components, 0, columns, rows, 0, 0, tile, tile, 0, 0, components)
    return b"\xff\x4f\xff\x51" + size + b"\x0b\1\1" * components + b"\xff\xd9"


def jpeg_of(rows: int, columns: int, marker: int = 0xC3) -> bytes:
    frame = struct.pack(">HBHHB", 11, 12, rows, columns, 1) + b"\1\x11\0"
    return b"\xff\xd8\xff" + bytes([marker]) + frame + b"\xff\xda\0\x08\1\1\0\1\0\0" + bytes(50) + b"\xff\xd9"


FRAMES: dict[str, tuple[UID, bytes]] = {
    "j2k_of_60000_a_side": (JPEG2000Lossless, j2k_of(60_000, 60_000, 60_000)),
    "j2k_of_one_pixel_tiles": (JPEG2000Lossless, j2k_of(ROWS * 8, COLUMNS * 8, 1)),
    "j2k_of_16000_components": (JPEG2000Lossless, j2k_of(ROWS, COLUMNS, 64, 16_000)),
    "jp2_boxes_without_end": (JPEG2000Lossless, b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\0free" * 9),
    "jpeg_of_65535_a_side": (JPEGLosslessSV1, jpeg_of(65_535, 65_535)),
    "jpeg_whose_rows_come_later": (JPEGLosslessSV1, jpeg_of(0, COLUMNS)),
    "jpeg_in_a_hierarchy": (JPEGLosslessSV1, jpeg_of(ROWS, COLUMNS, 0xDE)),
    "jpeg_ls_of_65535_a_side": (JPEGLSLossless, jpeg_of(65_535, 65_535, 0xF7)),
    "jpeg_of_the_right_size_and_no_picture": (JPEGLosslessSV1, jpeg_of(ROWS, COLUMNS)),
    "run_lengths_of_8_mb": (RLELossless, struct.pack("<16L", 2, 64, 4_000_000, *[0] * 13) + b"\x81\0" * 4_000_000),
    "nothing": (JPEG2000Lossless, b"\0\0"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_that_does_not_fit_its_header_is_refused(name: str, tmp_path: Path) -> None:
    syntax, frame = FRAMES[name]
    slices = make_series(4)
    for dataset in slices:
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].VR = "OB"
    assert refusal(slices, tmp_path) == "bad_pixels"


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_the_size_of_a_valid_frame_is_read(syntax: UID) -> None:
    frame = bytes(coded(compressed(make_series(4)[0], syntax)))
    read = jpeg_2000_size if syntax == JPEG2000Lossless else jpeg_size
    assert read(frame) == (ROWS, COLUMNS, 1)
    assert all(read(frame[:cut]) in (None, (ROWS, COLUMNS, 1)) for cut in range(60, len(frame), 97))


def test_colour_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    slices = make_series(4)
    for dataset in slices:
        dataset.SamplesPerPixel = 3
    assert refusal(slices, tmp_path) == "bad_pixels"


@pytest.mark.parametrize(("rows", "code"), [(4097, "bad_matrix"), (60_000, "bad_matrix"), (0, "bad_matrix")])
def test_rows_that_no_scanner_makes_are_refused(rows: int, code: str, tmp_path: Path) -> None:
    slices = make_series(4)
    for dataset in slices:
        dataset.Rows = rows
    assert refusal(slices, tmp_path) == code


@pytest.mark.parametrize("keyword", ["BitsAllocated", "BitsStored", "NumberOfFrames", "SamplesPerPixel"])
@pytest.mark.parametrize("value", [0, 7, 65_535])
def test_numbers_about_pixels_that_make_no_sense_are_refused(keyword: str, value: int, tmp_path: Path) -> None:
    slices = make_series(4)
    for dataset in slices:
        setattr(dataset, keyword, value)
    sources = [Source(path.name, None, None) for path in save(slices, tmp_path)]
    with watched():
        try:
            volume, _ = read_volume(tmp_path, sources)
        except DicomError:
            return
    assert volume.shape_zyx == (4, ROWS, COLUMNS)  # a number that nothing is read by


def test_a_stack_of_more_voxels_than_fit_is_refused(tmp_path: Path) -> None:
    (first, *_) = make_series(4)
    first.Rows = first.Columns = 4096
    first.PixelData = np.zeros((4096, 4096), np.uint16).tobytes()
    (path,) = save([first], tmp_path)
    with watched(), pytest.raises(DicomError, match="voxels"):
        read_volume(tmp_path, [Source(path.name, None, None)] * 4)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    syntax=st.sampled_from([JPEG2000Lossless, JPEGLSLossless, RLELossless]),
    flips=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_a_damaged_frame_is_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, syntax: UID, flips: list[tuple[int, int]]
) -> None:
    slices = make_series(2)
    frame = coded(compressed(slices[0], syntax))
    for place, value in flips:
        frame[place % len(frame)] = value
    slices[0].PixelData = encapsulate([bytes(frame)])
    folder = tmp_path_factory.getbasetemp() / "damaged"
    sources = [Source(path.name, None, None) for path in save(slices, folder)]
    try:
        volume, _ = read_volume(folder, sources)
    except DicomError:
        return
    assert volume.shape_zyx == (2, ROWS, COLUMNS)


@pytest.mark.parametrize("change", [lambda content: content[: len(content) // 2], lambda content: content * 3, bytes])
def test_a_file_that_changes_after_the_index_is_refused_or_read(change: type[bytes], tmp_path: Path) -> None:
    paths = save(make_series(7), tmp_path / "in")
    (study,) = index_input(tmp_path / "in", None, IndexOptions()).studies
    assert study.entry is not None
    content = paths[3].read_bytes()
    paths[3].write_bytes(b"" if change is bytes else change(content))
    sources = [replace(source, size=None, mtime_ns=None) for source in study.entry.sources]  # or these would tell
    try:
        volume, _ = read_volume(tmp_path / "in", sources)
    except DicomError as error:
        assert error.code in {"changed_file", "bad_pixels", "not_readable"}  # noqa: PT017 (or what follows is ignored)
        return
    assert volume.shape_zyx == (7, ROWS, COLUMNS)
