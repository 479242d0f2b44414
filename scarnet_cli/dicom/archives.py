"""Zip and tar archives, read member by member in memory: nothing is unpacked, so no member can escape.

A member is known by its place in the archive (from 0, folders not counted), never by its name.
"""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from scarnet_cli.errors import DicomError

# Bounds against archives made to fill memory or time: a study has thousands of files of less than a megabyte, an
# enhanced multi-frame object some hundred megabytes.
MEMBER_LIMIT: Final = 200_000
MEMBER_BYTES_LIMIT: Final = 1 << 30
TOTAL_BYTES_LIMIT: Final = 64 << 30
_TAR_MAGIC_PLACE: Final = 257
_DAMAGE: Final = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError)


def is_archive(path: Path) -> bool:
    """Tell by the first bytes whether a file is a zip, tar or compressed tar archive."""
    try:
        with path.open("rb") as file:
            start = file.read(_TAR_MAGIC_PLACE + 5)
    except OSError:
        return False
    if start[:4] == b"PK\x03\x04" or start[_TAR_MAGIC_PLACE:] == b"ustar":
        return True
    packed = start[:2] == b"\x1f\x8b" or start[:3] == b"BZh" or start[:6] == b"\xfd7zXZ\x00"
    return packed and _holds_tar(path)


def _holds_tar(path: Path) -> bool:
    try:
        with tarfile.open(path):
            return True
    except _DAMAGE:
        return False


def read_members(path: Path, wanted: frozenset[int] | None = None) -> Iterator[tuple[int, str, bytes]]:
    """Yield place, suffix and content of an archive's files in their order.

    Args:
        path: The archive.
        wanted: Places to read; None for all.

    Raises:
        DicomError: The archive is damaged, encrypted, or larger than the bounds of this module.
    """
    members = _zip_members if zipfile.is_zipfile(path) else _tar_members
    try:
        yield from members(path, wanted)
    except _DAMAGE as error:
        message = f"An archive cannot be read to its end ({type(error).__name__}); make it again or unpack it."
        raise DicomError("bad_archive", message) from error


def _zip_members(path: Path, wanted: frozenset[int] | None) -> Iterator[tuple[int, str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        sizes = [(i, info.file_size) for i, info in enumerate(files)]
        _require_bounds(len(files), sum(size for _, size in sizes))
        for place, info in enumerate(files):
            if wanted is None or place in wanted:
                _require_bounds(1, info.file_size, one=True)
                with archive.open(info) as member:
                    yield place, Path(info.filename).suffix, _read_bounded(member)


def _tar_members(path: Path, wanted: frozenset[int] | None) -> Iterator[tuple[int, str, bytes]]:
    total, place = 0, -1
    with tarfile.open(path) as archive:
        for info in archive:
            if not info.isfile():  # links and devices hold no data of their own
                continue
            place += 1
            total += info.size
            _require_bounds(place, total)
            if wanted is not None and place not in wanted:
                continue
            _require_bounds(1, info.size, one=True)
            member = archive.extractfile(info)
            if member is not None:
                yield place, Path(info.name).suffix, _read_bounded(member)
            archive.members.clear()  # type: ignore[attr-defined]  # or a large archive's list stays in memory
            if wanted is not None and place >= max(wanted, default=-1):
                return


def _read_bounded(member: IO[bytes]) -> bytes:
    content = member.read(MEMBER_BYTES_LIMIT + 1)
    _require_bounds(1, len(content), one=True)
    return content


def _require_bounds(count: int, size: int, *, one: bool = False) -> None:
    limit = MEMBER_BYTES_LIMIT if one else TOTAL_BYTES_LIMIT
    if count > MEMBER_LIMIT or size > limit:
        message = (
            f"An archive holds {count} files and {size} bytes; at most {MEMBER_LIMIT} files and {limit} bytes are "
            "read. Unpack it and name the folder instead."
        )
        raise DicomError("archive_too_large", message)
