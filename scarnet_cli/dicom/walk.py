"""Read the wanted elements of a plain DICOM file quickly, by walking over its tags without pydicom.

The walk reads what nearly all archived files are: preamble, explicit or implicit little endian, tags in order, ASCII
text, no functional groups. It leaves anything else to pydicom and otherwise returns what pydicom would return;
tests/property/test_walk_properties.py checks that.
"""

import re
from functools import lru_cache
from struct import Struct
from typing import Any, BinaryIO, Final

from scarnet_cli.dicom.bounds import HEADER_BYTES

# fmt: off
# Elements that the index reads (DICOM PS3.6): tag -> keyword, VR.
WANTED: Final[dict[int, tuple[str, str]]] = {
    0x00080005: ("SpecificCharacterSet", "CS"), 0x00080008: ("ImageType", "CS"), 0x00080016: ("SOPClassUID", "UI"),
    0x00080018: ("SOPInstanceUID", "UI"), 0x00080020: ("StudyDate", "DA"), 0x00080022: ("AcquisitionDate", "DA"),
    0x00080023: ("ContentDate", "DA"), 0x0008002A: ("AcquisitionDateTime", "DT"), 0x00080030: ("StudyTime", "TM"),
    0x00080031: ("SeriesTime", "TM"), 0x00080032: ("AcquisitionTime", "TM"), 0x00080033: ("ContentTime", "TM"),
    0x00080060: ("Modality", "CS"), 0x00080070: ("Manufacturer", "LO"), 0x0008103E: ("SeriesDescription", "LO"),
    0x00081090: ("ManufacturerModelName", "LO"), 0x00089208: ("ComplexImageComponent", "CS"),
    0x00100010: ("PatientName", "PN"), 0x00100020: ("PatientID", "LO"), 0x00100030: ("PatientBirthDate", "DA"),
    0x00100040: ("PatientSex", "CS"), 0x00180020: ("ScanningSequence", "CS"),
    0x00180021: ("SequenceVariant", "CS"), 0x00180024: ("SequenceName", "SH"), 0x00180081: ("EchoTime", "DS"),
    0x00180082: ("InversionTime", "DS"), 0x00181000: ("DeviceSerialNumber", "LO"), 0x00181030: ("ProtocolName", "LO"),
    0x00189005: ("PulseSequenceName", "SH"),
    0x0020000D: ("StudyInstanceUID", "UI"), 0x0020000E: ("SeriesInstanceUID", "UI"), 0x00200011: ("SeriesNumber", "IS"),
    0x00200013: ("InstanceNumber", "IS"), 0x00200032: ("ImagePositionPatient", "DS"),
    0x00200037: ("ImageOrientationPatient", "DS"), 0x00200052: ("FrameOfReferenceUID", "UI"),
    0x00280002: ("SamplesPerPixel", "US"), 0x00280008: ("NumberOfFrames", "IS"), 0x00280010: ("Rows", "US"),
    0x00280011: ("Columns", "US"), 0x00280030: ("PixelSpacing", "DS"), 0x00280103: ("PixelRepresentation", "US"),
    0x00281052: ("RescaleIntercept", "DS"), 0x00281053: ("RescaleSlope", "DS"),
    0x52009229: ("SharedFunctionalGroupsSequence", "SQ"), 0x52009230: ("PerFrameFunctionalGroupsSequence", "SQ"),
}
_LONG_VRS: Final = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_SHORT_VRS: Final = {
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
    b"ST", b"TM", b"UI", b"UL", b"US",
}
# Elements that may have several values; a file with several in another element is left to pydicom.
_SEVERAL: Final = {
    "ImageType", "ScanningSequence", "SequenceVariant", "SequenceName", "PulseSequenceName", "PixelSpacing",
    "ImagePositionPatient", "ImageOrientationPatient",
}
# Elements compared as raw bytes and never decoded: they may be in any character set.
COMPARED: Final = frozenset({
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "ManufacturerModelName", "DeviceSerialNumber",
})
# fmt: on
_VRS: Final = {tag: vr.encode() for tag, (_, vr) in WANTED.items()}
_IMPLICIT: Final = b"1.2.840.10008.1.2\0"
# Explicit little endian, and the compressed syntaxes with such headers: JPEG, JPEG-LS, JPEG 2000, RLE.
_EXPLICIT: Final = frozenset(
    uid.encode() + b"\0" * (len(uid) % 2)
    for tail in ("1", "4.50", "4.51", "4.57", "4.70", "4.80", "4.81", "4.90", "4.91", "5")
    for uid in (f"1.2.840.10008.1.2.{tail}",)
)
# All of these contain ASCII unchanged; text beyond ASCII is left to pydicom.
_CHARACTER_SETS: Final = {"", "ISO_IR 6", "ISO_IR 100", "ISO_IR 101", "ISO_IR 144", "ISO_IR 192"}
_CHARACTER_SET: Final = 0x00080005
_GROUP_LENGTH: Final = 0x00020000
_TRANSFER_SYNTAX: Final = 0x00020010
_FILE_META_END: Final = 0x0002FFFF
_PIXELS: Final = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_ITEM: Final = 0xFFFEE000
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
_UNDEFINED: Final = 0xFFFFFFFF
_PREAMBLE: Final = 128
BLOCK: Final = 8192
_HEAD: Final = 12  # bytes of the longest tag, VR and length together
_LONGEST_VALUE: Final = 1024
_DEEPEST: Final = 6
# If the first element is longer, pydicom may mistake implicit VR for explicit.
_FIRST_LONGEST: Final = 0x4000
_read_explicit: Final = Struct("<HH2sH").unpack_from
_read_implicit: Final = Struct("<HHL").unpack_from
_read_long: Final = Struct("<L").unpack_from
_is_printable: Final = re.compile(rb"[ -~]*\Z").match
_is_whole: Final = re.compile(r" *[+-]?[0-9]{1,12} *\Z").match
_is_number: Final = re.compile(r" *[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})? *\Z").match


class _OddError(Exception):
    """The file is left to pydicom."""


def walk(stream: BinaryIO, start: bytes) -> dict[str, Any] | None:
    """Return the wanted elements of an image by keyword, or None to leave the file to pydicom.

    A value is a string or a number, or a list of them; an empty number is None; the elements in `COMPARED` are bytes.

    Args:
        stream: Seekable binary stream; its final position is undefined.
        start: Its first `BLOCK` bytes, or all if it is shorter.
    """
    try:
        elements = _Walk(stream, start).elements()
        found = {
            WANTED[tag][0]: (_same_value if len(raw) <= _SHORT else _value)(*WANTED[tag], raw)
            for tag, raw in elements.items()
        }
    except _OddError:
        return None
    named = found.get("StudyInstanceUID") or found.get("SOPClassUID")
    image = named and found.get("Rows") is not None and found.get("Columns") is not None
    return found if image and found.get("SpecificCharacterSet", "") in _CHARACTER_SETS else None


class _Walk:
    """A walk over a file's elements. One block of the file is in memory at a time; offsets are within that block."""

    def __init__(self, stream: BinaryIO, start: bytes) -> None:
        self._stream = stream
        self._block = start
        self._base = 0

    def elements(self) -> dict[int, bytes]:
        """Return the values of the wanted elements that come before the pixels, by tag."""
        offset, explicit = self._after_file_meta()
        found: dict[int, bytes] = {}
        last = _FILE_META_END
        while True:
            tag, vr, length, offset = self._explicit_head(offset) if explicit else self._implicit_head(offset)
            if tag <= last or (last == _FILE_META_END and length > _FIRST_LONGEST):
                raise _OddError
            last = tag
            if tag in _PIXELS:
                return found
            if tag in WANTED:
                offset = self._held(offset, length)
                found[tag] = self._block[offset : offset + length]
                if explicit and vr != _VRS[tag]:
                    raise _OddError
            elif length == _UNDEFINED:
                offset = self._after_sequence(offset, vr)
                continue
            offset += length

    def _after_file_meta(self) -> tuple[int, bool]:
        """Return the offset of the first element after group 0002, and whether VRs are explicit."""
        offset, syntax, last = _PREAMBLE + 4, b"", 0
        if self._block[_PREAMBLE:offset] != b"DICM":
            raise _OddError
        while self._block[offset : offset + 2] == b"\2\0":
            tag, vr, length, offset = self._explicit_head(offset)
            if tag <= last or (last == 0 and (tag, vr, length) != (_GROUP_LENGTH, b"UL", 4)):
                raise _OddError
            last = tag
            offset = self._held(offset, length)
            if tag == _TRANSFER_SYNTAX and vr == b"UI":
                syntax = self._block[offset : offset + length]
            offset += length
        if syntax != _IMPLICIT and syntax not in _EXPLICIT:
            raise _OddError
        return offset, syntax != _IMPLICIT

    def _explicit_head(self, offset: int) -> tuple[int, bytes, int, int]:
        """Return tag, VR and length of an element, and the offset of its value."""
        if offset + _HEAD > len(self._block):
            offset = self._held(offset, _HEAD)
        group, element, vr, length = _read_explicit(self._block, offset)
        if vr in _SHORT_VRS:
            return group << 16 | element, vr, length, offset + 8
        if vr in _LONG_VRS:
            return group << 16 | element, vr, _read_long(self._block, offset + 8)[0], offset + 12
        raise _OddError

    def _implicit_head(self, offset: int) -> tuple[int, bytes, int, int]:
        if offset + _HEAD > len(self._block):
            offset = self._held(offset, _HEAD)
        group, element, length = _read_implicit(self._block, offset)
        return group << 16 | element, b"", length, offset + 8

    def _held(self, offset: int, length: int) -> int:
        """Load the next block if needed, so that `length` bytes from `offset` are in memory; return their offset."""
        if length > _LONGEST_VALUE:
            raise _OddError
        if offset + length <= len(self._block):
            return offset
        self._base += offset
        if self._base > HEADER_BYTES:
            raise _OddError
        self._stream.seek(self._base)
        self._block = self._stream.read(BLOCK)
        if length > len(self._block):  # the file ends earlier
            raise _OddError
        return 0

    def _after_sequence(self, offset: int, vr: bytes, depth: int = 0) -> int:
        """Return the offset after a sequence of undefined length; all its elements are skipped."""
        if vr != b"SQ" or depth == _DEEPEST:
            raise _OddError
        while True:
            offset = self._held(offset, _HEAD)
            group, element, length = _read_implicit(self._block, offset)
            tag = group << 16 | element
            offset += 8
            if tag == _SEQUENCE_END and length == 0:
                return offset
            if tag != _ITEM:
                raise _OddError
            offset = self._after_item(offset, length, depth)

    def _after_item(self, offset: int, length: int, depth: int) -> int:
        end = self._base + offset + length
        while True:
            if length == _UNDEFINED:
                offset = self._held(offset, _HEAD)
                if _read_implicit(self._block, offset) == (_ITEM_END >> 16, _ITEM_END & 0xFFFF, 0):
                    return offset + 8
            elif self._base + offset >= end:
                if self._base + offset > end:
                    raise _OddError
                return offset
            tag, vr, size, offset = self._explicit_head(offset)
            if tag == _CHARACTER_SET or tag >= _ITEM:  # a delimiter that looks like an element ends the item
                raise _OddError
            offset = self._after_sequence(offset, vr, depth + 1) if size == _UNDEFINED else offset + size


def _value(keyword: str, vr: str, raw: bytes) -> Any:  # noqa: ANN401 (a string, a number, None, a list or bytes)
    """Return a value as pydicom returns it, without trailing padding; for the elements in `COMPARED`, its bytes."""
    if keyword in COMPARED:
        return raw
    if vr == "US":
        if len(raw) not in (0, 2):
            raise _OddError
        return int.from_bytes(raw, "little") if raw else None
    padded = raw.rstrip(b"\0 ")
    if vr == "SQ" or not _is_printable(padded):
        raise _OddError
    words = padded.decode("ascii")
    if vr in ("DS", "IS") and not raw:
        return None
    if "\\" not in words:
        return _part(vr, words)
    if keyword not in _SEVERAL:
        raise _OddError
    return [_part(vr, part) for part in words.split("\\")]


# Most values recur in every file of a series: caching them saves a fifth of the time. Returned lists are never changed.
_SHORT: Final = 64
_same_value = lru_cache(maxsize=8192)(_value)


def _part(vr: str, words: str) -> str | int | float:
    if vr == "DS":
        if not _is_number(words):
            raise _OddError
        return float(words)
    if vr == "IS":
        if not _is_whole(words):
            raise _OddError
        return int(words)
    return words
