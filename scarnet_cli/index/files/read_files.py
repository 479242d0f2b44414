"""Read the headers of files, many per call. Worker processes import this module, so it imports little."""

import io
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import PurePath
from typing import Final

from scarnet_cli.buckets.place import Place, at_once, located
from scarnet_cli.dicom.archives import read_members
from scarnet_cli.dicom.containers import NIFTI, TAR, UNKNOWN_ARCHIVE, ZIP
from scarnet_cli.dicom.headers import ARCHIVE, BROKEN, JUNK, Header, may_be_dicom, read_header
from scarnet_cli.dicom.packing import REFUSED, Allowance, unpacked, whole
from scarnet_cli.errors import DicomError
from scarnet_cli.index.files.leftovers import is_leftover
from scarnet_cli.index.files.sweep import NO_MEMORY, reason_of

logger = logging.getLogger(__name__)

# Headers of one file: its own, under None, then each member's, under the member's number in the archive.
FileHeaders = list[tuple[int | None, Header]]
# Kinds of a first look that need a second one: not DICOM, or unreadable. The file may be packed or an archive.
_UNCLEAR: Final = (JUNK, BROKEN)


def read_files(root: Place, paths: Sequence[str]) -> list[FileHeaders]:
    """Return the headers of several files; see `read_file`."""
    return list(at_once(partial(read_file, root), paths, (root, *paths)))


def read_file(root: Place, path: str) -> FileHeaders:
    """Return the headers of a file: its own first, then those of an archive's members.

    An archive among the members comes before its own members. For a file that is gone or cannot be read, and for an
    archive that is refused, the reason is the kind.

    Raises:
        MachineError: The machine can read no file at all.
    """
    full = located(root, path)
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


def kind_of(path: Place) -> str:
    """Return the kind of a file without reading an archive's members.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        return _look(path, path.name).kind
    except DicomError as error:
        return error.code


def _look(full: Place, path: str) -> Header:
    """Return the header of a file without reading an archive's members.

    Raises:
        DicomError: The file is packed, and damaged or too large.
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


def _read_archive(path: Place) -> FileHeaders:
    headers: FileHeaders = [(None, Header(ARCHIVE))]
    nested: dict[int, int] = {}  # number of each archive in this one -> its index in `headers`
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
    """Return the header, with kind junk instead of broken for a leftover of an operating system or disc."""
    return Header(JUNK) if header.kind == BROKEN and is_leftover(path) else header
