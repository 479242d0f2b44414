"""Zip and tar archives, read member by member in memory: nothing is unpacked, so no member can escape.

A member is known by its place in the archive (from 0, folders not counted), never by its name.
"""

import bz2
import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

from scarnet_cli.dicom.archive_stream import HEADER_PIECE, BoundedArchive
from scarnet_cli.errors import DicomError
from scarnet_cli.faults import machine_fault

# Bounds against archives made to fill memory or time: a study has thousands of files of less than a megabyte, an
# enhanced multi-frame object some hundred megabytes.
MEMBER_LIMIT: Final = 100_000
MEMBER_BYTES_LIMIT: Final = 256 << 20
TOTAL_BYTES_LIMIT: Final = 64 << 30
# MR images pack to a half or a tenth. More than this, beyond what every archive may hold, is a bomb.
PACKING_LIMIT: Final = 50
UNPACKED_BYTES: Final = 128 << 20
_STEP: Final = 32 << 10
_TAR_MAGIC_PLACE: Final = 257
# What zipfile, tarfile and the decompressors raise on damaged archives, besides their own errors.
_DAMAGE: Final = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    ArithmeticError,
    MemoryError,
    struct.error,
)
_OPENERS: Final = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}


def is_archive(path: Path) -> bool:
    """Tell by the first bytes whether a file is a zip, tar or compressed tar archive.

    Raises:
        Exception: The machine failed (see faults.py).
    """
    try:
        with path.open("rb") as file:
            start = file.read(_TAR_MAGIC_PLACE + 5)
    except OSError as error:
        if machine_fault(error):
            raise
        return False
    if start[:4] == b"PK\x03\x04" or start[_TAR_MAGIC_PLACE:] == b"ustar":
        return True
    packed = start[:2] == b"\x1f\x8b" or start[:3] == b"BZh" or start[:6] == b"\xfd7zXZ\x00"
    return packed and _holds_tar(path)


def _holds_tar(path: Path) -> bool:
    try:
        with ExitStack() as stack:
            _open_tar(path, stack)
    except (*_DAMAGE, DicomError) as error:
        if machine_fault(error):
            raise
        return False
    return True


def read_members(path: Path, wanted: frozenset[int] | None = None) -> Iterator[tuple[int, str, bytes]]:
    """Yield place, suffix and content of an archive's files in their order.

    Args:
        path: The archive.
        wanted: Places to read; None for all.

    Raises:
        DicomError: The archive is damaged, encrypted, or larger than the bounds of this module.
        Exception: The machine failed (see faults.py).
    """
    try:
        members = _zip_members if zipfile.is_zipfile(path) else _tar_members
        yield from members(path, wanted)
    except _DAMAGE as error:
        if machine_fault(error):
            raise
        message = f"An archive cannot be read to its end ({type(error).__name__}); make it again or unpack it."
        raise DicomError("bad_archive", message) from error


def _most_bytes(path: Path) -> int:
    return min(TOTAL_BYTES_LIMIT, UNPACKED_BYTES + PACKING_LIMIT * path.stat().st_size)


def _zip_members(path: Path, wanted: frozenset[int] | None) -> Iterator[tuple[int, str, bytes]]:
    most = _most_bytes(path)
    with path.open("rb") as file, zipfile.ZipFile(cast("BinaryIO", BoundedArchive(file, most))) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        _require_bounds(len(files), sum(info.file_size for info in files), most)
        for place, info in enumerate(files):
            if wanted is None or place in wanted:
                _require_bounds(1, info.file_size, MEMBER_BYTES_LIMIT)
                with archive.open(info) as member:
                    yield place, Path(info.filename).suffix, _read_bounded(member)


def _tar_members(path: Path, wanted: frozenset[int] | None) -> Iterator[tuple[int, str, bytes]]:
    total, place, most = 0, -1, _most_bytes(path)
    with ExitStack() as stack:
        archive, stream = _open_tar(path, stack)
        for count, info in enumerate(_entries(archive, stream)):
            total += info.size
            _require_bounds(count, total, most)
            if not info.isfile():  # links and devices hold no data of their own
                continue
            place += 1
            if wanted is not None and place not in wanted:
                continue
            _require_bounds(1, info.size, MEMBER_BYTES_LIMIT)
            member = archive.extractfile(info)
            if member is not None:
                yield place, Path(info.name).suffix, _read_bounded(member)
            if wanted is not None and place >= max(wanted, default=-1):
                return


def _open_tar(path: Path, stack: ExitStack) -> tuple[tarfile.TarFile, BoundedArchive]:
    """Open a tar archive, inflated as it is read; what has been opened is closed with the stack."""
    file = stack.enter_context(path.open("rb"))
    opener = _OPENERS.get(file.read(2))
    file.seek(0)
    most = _most_bytes(path)
    if opener is None:
        inflated: IO[bytes] = file
    else:
        inflated = stack.enter_context(opener(cast("BinaryIO", BoundedArchive(file, most))))
    stream = BoundedArchive(inflated, most, HEADER_PIECE)
    stream.in_header = True  # the first header is read when the archive is opened
    return stack.enter_context(tarfile.open(fileobj=cast("BinaryIO", stream), mode="r:")), stream


def _entries(archive: tarfile.TarFile, stream: BoundedArchive) -> Iterator[tarfile.TarInfo]:
    """Yield the archive's entries; none is kept, and one that points back ends it."""
    place = -1
    while True:
        stream.in_header = True
        info = archive.next()
        stream.in_header = False
        if info is None:
            return
        if archive.offset <= place:  # a negative size would have it read for ever
            message = "an entry of negative size"
            raise tarfile.ReadError(message)
        place = archive.offset
        archive.members.clear()  # type: ignore[attr-defined]  # or a large archive's list stays in memory
        yield info


def _read_bounded(member: IO[bytes]) -> bytes:
    content = bytearray()
    while piece := member.read(_STEP):
        content += piece
        _require_bounds(1, len(content), MEMBER_BYTES_LIMIT)
    return bytes(content)


def _require_bounds(count: int, size: int, most: int) -> None:
    if count > MEMBER_LIMIT or size > most:
        message = (
            f"An archive holds {count} files and {size} bytes; at most {MEMBER_LIMIT} files and {most} bytes are "
            "read. Unpack it and name the folder instead."
        )
        raise DicomError("archive_too_large", message)
