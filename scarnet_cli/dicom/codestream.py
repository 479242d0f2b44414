"""Read the size stated inside compressed pixels: decoders allocate memory by it, not by the DICOM header."""

import struct
from typing import Final

from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.uid import UID, JPEG2000TransferSyntaxes, RLELossless

from scarnet_cli.errors import DicomError

# Rows x columns of a compressed frame. Run lengths expand at most 64-fold: 8 MiB of them stay below 600 MiB.
PIXELS: Final = 2048 * 2048
# A JPEG 2000 decoder allocates 6 KiB for every tile.
TILES: Final = 4096
_RLE_HEADER: Final = 64
_STANDALONE: Final = (0x01, *range(0xD0, 0xD8))  # JPEG markers without a length
_NO_FRAMES: Final = (0xC4, 0xC8, 0xCC)  # markers from 0xC0 to 0xCF that do not start a frame
_START_OF_SCAN: Final = 0xDA
_HIERARCHICAL: Final = 0xDE
_JPEG_LS_FRAME: Final = 0xF7

Size = tuple[int, int, int]


def require_coded_size(dataset: Dataset, frame: int, rows: int, columns: int, where: str) -> None:
    """Refuse compressed pixels unless they are a greyscale frame of the size in the header.

    Raises:
        DicomError: The pixels have another size, or their size cannot be read.
        Exception: One of `DAMAGE`: the pixels cannot be split into frames.
    """
    syntax = UID(dataset.file_meta.get("TransferSyntaxUID", ""))
    if not syntax or not syntax.is_compressed or not syntax.is_encapsulated:
        return
    if rows * columns > PIXELS:
        message = f"{where} says {rows} x {columns} compressed pixels; at most {PIXELS} are read."
        raise DicomError("bad_matrix", message)
    frames = int(dataset.get("NumberOfFrames") or 1)
    coded = get_frame(dataset.PixelData, frame, number_of_frames=frames)
    if syntax == RLELossless:
        stored_bytes = rows * columns * int(dataset.BitsAllocated) // 8
        fits = len(coded) <= _RLE_HEADER + 2 * stored_bytes
    else:
        fits = (jpeg_2000_size if syntax in JPEG2000TransferSyntaxes else jpeg_size)(coded) == (rows, columns, 1)
    if not fits:
        message = (
            f"{where}: its compressed pixels are not the {rows} x {columns} grey values of its header; export again."
        )
        raise DicomError("bad_pixels", message)


def jpeg_size(coded: bytes) -> Size | None:
    """Return rows, columns and components of a JPEG or JPEG-LS picture; None if they cannot be read."""
    offset, found = 2, None
    while offset + 4 <= len(coded) and coded[offset] == 0xFF:  # noqa: PLR2004 (every marker starts so)
        marker = coded[offset + 1]
        if marker in (0xFF, *_STANDALONE):
            offset += 1 if marker == 0xFF else 2  # noqa: PLR2004 (a fill byte)
            continue
        if marker == _START_OF_SCAN:
            return found
        frame = marker == _JPEG_LS_FRAME or (0xC0 <= marker <= 0xCF and marker not in _NO_FRAMES)  # noqa: PLR2004
        if marker == _HIERARCHICAL or (frame and found):
            return None
        if frame:
            found = _jpeg_frame(coded, offset + 4)
        offset += 2 + struct.unpack_from(">H", coded, offset + 2)[0]
    return None


def _jpeg_frame(coded: bytes, offset: int) -> Size:
    _, rows, columns, components = struct.unpack_from(">BHHB", coded, offset)
    return rows, columns, components


def jpeg_2000_size(coded: bytes) -> Size | None:
    """Return rows, columns and components of a JPEG 2000 picture, bare or in JP2 boxes; None if they cannot be read."""
    offset = _codestream_offset(coded)
    if offset is None or coded[offset : offset + 4] != b"\xff\x4f\xff\x51":
        return None
    _, _, right, bottom, left, top, width, height, x, y, components = struct.unpack_from(">HH8IH", coded, offset + 4)
    if not width or not height or -(-(right - x) // width) * -(-(bottom - y) // height) > TILES:
        return None
    return bottom - top, right - left, components


def _codestream_offset(coded: bytes) -> int | None:
    if coded[4:8] != b"jP  ":
        return 0
    offset = 0
    while offset + 16 <= len(coded):
        length, kind = struct.unpack_from(">I4s", coded, offset)
        head = 8
        if length == 1:
            length, head = struct.unpack_from(">Q", coded, offset + 8)[0], 16
        if kind == b"jp2c":
            return offset + head
        if length < head:
            return None
        offset += length
    return None
