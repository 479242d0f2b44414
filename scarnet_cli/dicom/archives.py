"""Read zip and tar archives member by member: nothing is unpacked into a folder, so no member can escape.

A member is identified by its number, never by its name: its index in the archive, not counting folders, in the lowest
bits, then those in nested archives. Nested archives and members that are packed on their own are read within the same
bounds. A nested archive is held in memory; a large one, in a temporary file without a name.
"""

import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import PurePath
from typing import IO, BinaryIO, Final, NamedTuple, cast

from scarnet_cli.buckets.place import Place
from scarnet_cli.dicom import packing
from scarnet_cli.dicom.containers import NIFTI, START, TAR, UNKNOWN_ARCHIVE, ZIP
from scarnet_cli.dicom.headers import ARCHIVE, may_be_dicom
from scarnet_cli.dicom.packing import (
    DEEPEST,
    HEADER_PIECE,
    STEP,
    Allowance,
    BoundedArchive,
    UnpackedFile,
    damage_in_words,
    is_dicom,
    read_on,
    unpacked,
)
from scarnet_cli.errors import DicomError
from scarnet_cli.faults import machine_fault

# A nested archive larger than this goes to a temporary file.
_IN_MEMORY: Final = 64 << 20
_ENCRYPTED_BIT: Final = 1
_Direct = Iterator[tuple[int, str, IO[bytes]]]


class Member(NamedTuple):
    """A member of an archive.

    Attributes:
        number: Its number.
        name: Its name, without a compression suffix; untrusted.
        content: Its bytes; only the first ones if it cannot be DICOM; None if it has a `kind`.
        kind: None for a plain file; ARCHIVE for an archive, whose members follow; `NIFTI`; `UNKNOWN_ARCHIVE`; or, for
            a refused member, the reason (one of `packing.REFUSED`): ignore any of its members yielded before.
    """

    number: int
    name: str
    content: bytes | None
    kind: str | None = None


class _Wanted:
    """The members of one archive to read, by index; all of them if no numbers are given."""

    def __init__(self, numbers: frozenset[int] | None) -> None:
        self.all = numbers is None
        self._inner: dict[int, set[int]] = {}
        for index, inner in map(split, numbers or ()):
            self._inner.setdefault(index, set()).update(() if inner is None else (inner,))
        self.last = max(self._inner, default=-1)

    def __contains__(self, index: int) -> bool:
        return self.all or index in self._inner

    def inside(self, index: int) -> "_Wanted":
        return self if self.all else _Wanted(frozenset(self._inner[index]))


def read_members(path: Place, wanted: frozenset[int] | None = None) -> Iterator[Member]:
    """Yield an archive's members in order, each nested archive before its own members.

    Args:
        path: The archive.
        wanted: Numbers of the files to read; None for all members, including nested archives and refused members.

    Raises:
        DicomError: The archive is damaged, encrypted, or exceeds the bounds; likewise a nested one if members of it
            are wanted.
        Exception: The machine failed (see faults.py).
    """
    with path.open("rb") as file:
        yield from _members(file, path.name, _Reading(Allowance(path.stat().st_size), _Wanted(wanted), 1))


class _Reading(NamedTuple):
    """The state of reading an archive: what it may still hold, which members are wanted, and its depth, from 1."""

    allowance: Allowance
    wanted: _Wanted
    level: int


def _members(file: IO[bytes], name: str, reading: _Reading) -> Iterator[Member]:
    with damage_in_words(), ExitStack() as stack:
        archive = unpacked(file, name, reading.allowance, stack)
        archive.stream.seek(0)
        if archive.form == ZIP:
            held = _held(archive, reading.allowance, stack) if archive.was_packed else archive.stream
            direct = _zip_members(held, reading.allowance, reading.wanted)
        else:
            direct = _tar_members(archive.stream, reading.allowance, reading.wanted)
        for index, member_name, stream in direct:
            yield from _one(Member(index, member_name, None), stream, reading)


def _one(member: Member, stream: IO[bytes], reading: _Reading) -> Iterator[Member]:
    """Yield a direct member and, if it is an archive, its members."""
    try:
        start = stream.read(START)
        if is_dicom(start):  # nearly all are
            yield Member(member.number, member.name, read_on(stream, start))
        else:
            yield from _looked_at(member, stream, start, reading)
    except DicomError as error:
        if not reading.wanted.all or error.code not in packing.REFUSED:
            raise
        yield member._replace(kind=error.code)


def _looked_at(member: Member, stream: IO[bytes], start: bytes, reading: _Reading) -> Iterator[Member]:
    with ExitStack() as stack:
        file = unpacked(stream, member.name, reading.allowance, stack, start)
        if file.form in (ZIP, TAR):
            yield from _inside(member, stream, reading)
        elif file.form in (NIFTI, UNKNOWN_ARCHIVE):
            yield member._replace(kind=file.form)
        elif may_be_dicom(file.start, PurePath(file.name).suffix):
            yield member._replace(name=file.name, content=packing.whole(file, reading.allowance))
        else:
            yield member._replace(name=file.name, content=file.start)


def _inside(member: Member, stream: IO[bytes], reading: _Reading) -> Iterator[Member]:
    if reading.level == DEEPEST:
        message = f"Archives lie in archives more than {DEEPEST} deep; unpack them and name the folder instead."
        raise DicomError(packing.TOO_DEEP, message)
    if reading.wanted.all:
        yield member._replace(kind=ARCHIVE)
    deeper = reading._replace(wanted=reading.wanted.inside(member.number), level=reading.level + 1)
    with ExitStack() as stack:
        stream.seek(0)
        held = _held(UnpackedFile(stream, b"", member.name, ""), reading.allowance, stack)
        for found in _members(held, member.name, deeper):
            yield found._replace(number=nested(member.number, found.number))


def _held(file: UnpackedFile, allowance: Allowance, stack: ExitStack) -> IO[bytes]:
    """Return the rest of a stream as a file in memory or, if it is large, as a temporary file."""
    held = stack.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 (the stack closes it)
    while piece := file.stream.read(STEP):
        if file.was_packed:  # otherwise its archive's size has been counted
            allowance.take(0, len(piece))
        try:
            held.write(piece)
        except OSError as error:
            if fault := machine_fault(error):  # of the temporary file's disk, not the input's
                raise fault from error
            raise
    held.seek(0)
    return cast("IO[bytes]", held)


def _zip_members(file: IO[bytes], allowance: Allowance, wanted: _Wanted) -> _Direct:
    with zipfile.ZipFile(cast("BinaryIO", BoundedArchive(file, allowance.most))) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        if any(info.flag_bits & _ENCRYPTED_BIT for info in files):
            message = "An archive is encrypted and cannot be read; unpack it with its password and name the folder."
            raise DicomError(packing.ENCRYPTED, message)
        allowance.take(len(files), sum(info.file_size for info in files))
        for index, info in enumerate(files):
            if index in wanted:
                with archive.open(info) as member:
                    yield index, info.filename, member


def _tar_members(file: IO[bytes], allowance: Allowance, wanted: _Wanted) -> _Direct:
    index = -1
    stream = BoundedArchive(file, allowance.most, HEADER_PIECE)
    stream.in_header = True  # the first header is read when the archive is opened
    with tarfile.open(fileobj=cast("BinaryIO", stream), mode="r:") as archive:
        for info in _entries(archive, stream):
            allowance.take(1, info.size)
            if not info.isfile():  # links and devices hold no data of their own
                continue
            index += 1
            if index not in wanted:
                continue
            member = archive.extractfile(info)
            if member is not None:
                yield index, info.name, member
            if not wanted.all and index >= wanted.last:
                return


def _entries(archive: tarfile.TarFile, stream: BoundedArchive) -> Iterator[tarfile.TarInfo]:
    """Yield the archive's entries without keeping them; an entry that points back raises a ReadError."""
    reached = -1
    while True:
        stream.in_header = True
        info = archive.next()
        stream.in_header = False
        if info is None:
            return
        if archive.offset <= reached:  # a negative size would loop forever
            message = "an entry of negative size"
            raise tarfile.ReadError(message)
        reached = archive.offset
        archive.members.clear()  # type: ignore[attr-defined]  # keep no list of a large archive's entries
        yield info


# Bits of an index: enough for the most members allowed. Three indices fit into a 64-bit column.
_BITS: Final = 17
_MASK: Final = (1 << _BITS) - 1


def nested(outer: int, inner: int) -> int:
    """Return the number in the outer archive of the member `inner` of the nested archive at index `outer`."""
    return outer | (inner + 1) << _BITS


def split(number: int) -> tuple[int, int | None]:
    """Return the index in the outermost archive and the number in the nested archive, None for a direct member."""
    rest = number >> _BITS
    return number & _MASK, rest - 1 if rest else None


def holder(number: int) -> int | None:
    """Return the number of the archive that holds a member; None for the outermost archive."""
    index, inner = split(number)
    if inner is None:
        return None
    of_inner = holder(inner)
    return index if of_inner is None else nested(index, of_inner)


def in_archive(number: int, index: int) -> int:
    """Return the number of the member at `index` in the nested archive that has the number `number`."""
    outer, inner = split(number)
    return nested(outer, index if inner is None else in_archive(inner, index))
