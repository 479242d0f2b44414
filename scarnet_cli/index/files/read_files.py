"""Read what files hold, many in a call: what a worker process imports, and little more."""

import io
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path, PurePath
from typing import Final

from scarnet_cli.dicom.archives import read_members
from scarnet_cli.dicom.containers import NIFTI, TAR, UNKNOWN_ARCHIVE, ZIP
from scarnet_cli.dicom.headers import ARCHIVE, BROKEN, JUNK, Header, may_be_dicom, read_header
from scarnet_cli.dicom.packing import REFUSED, Allowance, unpacked, whole
from scarnet_cli.errors import DicomError
from scarnet_cli.index.files.leftovers import is_leftover
from scarnet_cli.index.files.sweep import NO_MEMORY, reason_of

logger = logging.getLogger(__name__)

# What one file holds: itself (None), then each member by its number in the archive.
FileHeaders = list[tuple[int | None, Header]]
# What a file may turn out to be when it is looked at more closely: no DICOM, or nothing of it that could be read.
_UNCLEAR: Final = (JUNK, BROKEN)


def read_files(root: Path, paths: Sequence[str]) -> list[FileHeaders]:
    """Return what each of several files holds; see `read_file`."""
    return [read_file(root, path) for path in paths]


def read_file(root: Path, path: str) -> FileHeaders:
    """Return what a file holds; of an archive itself first, then its members, archives among them before their own.

    A file that is gone, or that the operating system does not let us read, has the reason as its kind, and so has an
    archive that is refused.

    Raises:
        MachineError: No file can be read.
    """
    full = root / path
    try:
        header = _look(full, path)
        if header.kind == ARCHIVE:
            return _read_archive(full)
    except DicomError as error:
        if error.code not in REFUSED:
            raise
        logger.warning("an archive is left out: %s", error)
        header = Header(error.code)
    except OSError as error:
        header = Header(reason_of(error))
    except MemoryError:
        header = Header(NO_MEMORY)
    return [(None, header)]


def kind_of(path: Path) -> str:
    """Return what a file is, of an archive no more than that.

    Raises:
        OSError: The operating system does not let us read it.
    """
    try:
        return _look(path, path.name).kind
    except DicomError as error:
        return error.code


def _look(full: Path, path: str) -> Header:
    """Return the header of a file; no archive is opened.

    Raises:
        DicomError: It is packed, and damaged or larger than the bounds allow.
    """
    with full.open("rb", buffering=0) as stream:
        header = read_header(stream, PurePath(path).suffix)
    if header.kind not in _UNCLEAR:
        return header
    with full.open("rb") as stream, ExitStack() as stack:
        allowance = Allowance(full.stat().st_size)
        file = unpacked(stream, full.name, allowance, stack)
        if file.form in (ZIP, TAR):
            return Header(ARCHIVE)
        if file.form in (NIFTI, UNKNOWN_ARCHIVE):
            return Header(file.form)
        suffix = PurePath(file.name).suffix
        if not file.was_packed or not may_be_dicom(file.start, suffix):
            return _settled(header, path)
        return _settled(read_header(io.BytesIO(whole(file, allowance)), suffix), file.name)


def _read_archive(path: Path) -> FileHeaders:
    headers: FileHeaders = [(None, Header(ARCHIVE))]
    nested: dict[int, int] = {}  # index of each archive in it
    for member in read_members(path):
        if member.kind in REFUSED:
            del headers[nested.get(member.number, len(headers)) :]
        elif member.kind == ARCHIVE:
            nested[member.number] = len(headers)
        headers.append((member.number, _member_header(member.name, member.content, member.kind)))
    return headers


def _member_header(name: str, content: bytes | None, kind: str | None) -> Header:
    if kind is not None:
        return Header(kind)
    return _settled(read_header(io.BytesIO(content or b""), PurePath(name).suffix), name)


def _settled(header: Header, path: str) -> Header:
    """Return a header; of what an operating system or a disc left beside the images it is no loss."""
    return Header(JUNK) if header.kind == BROKEN and is_leftover(path) else header
