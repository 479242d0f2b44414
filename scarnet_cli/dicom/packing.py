"""Unpack files compressed on their own by gzip, bzip2, xz or lzma (IM1.dcm.gz) as they are read, within bounds.

The bounds hold for archives too: zipfile, tarfile and gzip trust every size that they read.
"""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, BinaryIO, Final, NamedTuple, cast

from scarnet_cli.buckets.place import Place
from scarnet_cli.dicom.containers import LZMA, OTHER, PACKED, START, XZ, form_of, unpacked_name
from scarnet_cli.errors import DicomError
from scarnet_cli.faults import machine_fault

# zipfile reads a directory in one piece; this holds 100,000 files with names of 200 characters.
DIRECTORY_BYTES: Final = 24 << 20
# tarfile reads a name or an extended header in one piece, slowly if it is large. The second bound is for all headers.
HEADER_PIECE: Final = 64 << 10
HEADERS_BYTES: Final = 8 << 20
# gzip reads a name byte by byte.
SMALL_READS: Final = 1_000_000
_BLOCK: Final = 512


class BoundedArchive:
    """A stream that refuses to be read too far, too much at once, or in too many small pieces.

    Raises:
        DicomError: `read` or `seek` exceeds a bound.
    """

    def __init__(self, stream: IO[bytes], most: int, piece: int = DIRECTORY_BYTES) -> None:
        """Take a seekable stream of which no byte beyond `most` and at most `piece` bytes at once may be read."""
        self._stream = stream
        self._most, self._piece = most, piece
        self._small_left, self._headers_left = SMALL_READS, HEADERS_BYTES
        self.in_header = False  # whether a tar header is being read
        self.tell, self.close, self.seekable = stream.tell, stream.close, stream.seekable

    def read(self, count: int | None = -1) -> bytes:
        """Return up to `count` bytes."""
        if count is None or count < 0:
            count = self._piece
        self._small_left -= count < _BLOCK
        if self.in_header and count > _BLOCK:
            self._headers_left -= count
        if count > self._piece or min(self._small_left, self._headers_left) < 0 or self.tell() > self._most:
            raise _too_large()
        return self._stream.read(count)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset and return it."""
        if whence == io.SEEK_SET and offset > self._most:
            raise _too_large()
        return self._stream.seek(offset, whence)


def _too_large() -> DicomError:
    message = "An archive asks for more memory or time than its size allows; unpack it and name the folder instead."
    return DicomError("archive_too_large", message)


# Why an archive or a packed file is refused: codes of errors, and reasons in the table `unread`.
BAD: Final = "bad_archive"
TOO_LARGE: Final = "archive_too_large"
TOO_DEEP: Final = "archive_too_deep"
ENCRYPTED: Final = "encrypted_archive"
REFUSED: Final = (BAD, TOO_LARGE, TOO_DEEP, ENCRYPTED)
# Not refused, only reported: it is opened like any other archive.
NESTED: Final = "nested_archive"

# Bounds against archives made to exhaust memory or time: a study has thousands of files of less than a megabyte, an
# enhanced multi-frame object a few hundred megabytes.
MEMBER_LIMIT: Final = 100_000
MEMBER_BYTES_LIMIT: Final = 256 << 20
TOTAL_BYTES_LIMIT: Final = 64 << 30
# MR images compress to between a half and a tenth. Beyond UNPACKED_BYTES, a higher ratio than this means a bomb.
PACKING_LIMIT: Final = 50
UNPACKED_BYTES: Final = 128 << 20
# Levels of nested archives, and layers of compression of one file.
DEEPEST: Final = 3

# Bytes read at once: `BoundedArchive` allows no more than HEADER_PIECE from a tar archive.
STEP: Final = HEADER_PIECE >> 1
_DICM: Final = slice(128, 132)
# What zipfile, tarfile and the decompressors raise on damaged archives, their own errors included.
DAMAGE: Final = (
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
_OPENERS: Final = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, XZ[:2]: lzma.open, LZMA[:2]: lzma.open}


class Allowance:
    """The allowance of an archive and all archives nested in it.

    Attributes:
        most: Bytes that they may unpack to in total.
    """

    def __init__(self, size: int) -> None:
        """Set the allowance for an archive of `size` bytes."""
        self.most = min(TOTAL_BYTES_LIMIT, UNPACKED_BYTES + PACKING_LIMIT * size)
        self._count = self._bytes = 0

    def take(self, count: int, size: int) -> None:
        """Subtract `count` members and `size` bytes.

        Raises:
            DicomError: The allowance is used up.
        """
        self._count += count
        self._bytes += size
        require_bounds(self._count, self._bytes, self.most)


def require_bounds(count: int, size: int, most: int) -> None:
    """Require `count` files of `size` bytes in total to be within the bounds.

    Raises:
        DicomError: There are more than `MEMBER_LIMIT` files or `most` bytes.
    """
    if count > MEMBER_LIMIT or size > most:
        message = (
            f"An archive holds {count} files and {size} bytes; at most {MEMBER_LIMIT} files and {most} bytes are "
            "read. Unpack it and name the folder instead."
        )
        raise DicomError(TOO_LARGE, message)


def is_dicom(start: bytes) -> bool:
    """Tell by the first bytes whether a file is DICOM with a preamble, whatever the preamble holds."""
    return start[_DICM] == b"DICM"


class UnpackedFile(NamedTuple):
    """A file with all layers of compression removed.

    Attributes:
        stream: Its seekable content, positioned after `start`.
        start: Its first bytes.
        name: Its name without compression suffixes.
        form: Its form, from `form_of`.
        was_packed: Whether it was compressed.
    """

    stream: IO[bytes]
    start: bytes
    name: str
    form: str
    was_packed: bool = False


def unpacked(
    stream: IO[bytes], name: str, allowance: Allowance, stack: ExitStack, begun: bytes | None = None
) -> UnpackedFile:
    """Return a file with all layers of compression removed; only its first bytes are read.

    Args:
        stream: Seekable stream at its start, or after `begun`.
        name: Name of the file.
        allowance: What it may unpack to.
        stack: Closes the streams that are opened.
        begun: Its first `START` bytes, if they have been read.

    Raises:
        DicomError: It is damaged, or has more than `DEEPEST` layers of compression.
    """
    start = stream.read(START) if begun is None else begun
    if is_dicom(start):
        return UnpackedFile(stream, start, name, OTHER)
    for depth in range(DEEPEST + 1):
        form = form_of(start, name)
        if form != PACKED:
            return UnpackedFile(stream, start, name, form, was_packed=depth > 0)
        stream.seek(0)
        inner = stack.enter_context(_OPENERS[start[:2]](cast("BinaryIO", BoundedArchive(stream, allowance.most))))
        try:
            with damage_in_words():
                inner_start = inner.read(START)
        except DicomError:
            if start.startswith(LZMA):  # it only looked like lzma
                stream.seek(len(start))
                return UnpackedFile(stream, start, name, OTHER, was_packed=depth > 0)
            raise
        stream, start, name = inner, inner_start, unpacked_name(name)
    message = f"A file is packed over and over, more than {DEEPEST} times; unpack it and name the folder instead."
    raise DicomError(TOO_DEEP, message)


def whole(file: UnpackedFile, allowance: Allowance) -> bytes:
    """Return all of a file's content.

    Raises:
        DicomError: It exceeds the bounds, or was compressed and is damaged.
        Exception: One of `DAMAGE`, if it was not compressed.
    """
    if not file.was_packed:  # its size was counted with its archive
        return read_on(file.stream, file.start)
    with damage_in_words():
        content = read_on(file.stream, file.start)
    allowance.take(0, len(content))
    return content


def read_on(stream: IO[bytes], start: bytes) -> bytes:
    """Return all of a file's content, whose start has been read.

    Raises:
        DicomError: It is larger than `MEMBER_BYTES_LIMIT`.
        Exception: One of `DAMAGE`.
    """
    content = bytearray(start)
    while piece := stream.read(STEP):
        content += piece
        require_bounds(1, len(content), MEMBER_BYTES_LIMIT)
    return bytes(content)


def open_file(path: Place) -> BinaryIO:
    """Open a file for reading; a compressed file is unpacked into memory.

    Raises:
        DicomError: It is compressed, and damaged or larger than the bounds allow.
    """
    file = path.open("rb")
    start = file.read(_DICM.stop)
    file.seek(0)
    if is_dicom(start) or form_of(start, "") != PACKED:
        return file
    with file, ExitStack() as stack:
        allowance = Allowance(path.stat().st_size)
        return io.BytesIO(whole(unpacked(file, path.name, allowance, stack), allowance))


@contextmanager
def damage_in_words() -> Iterator[None]:
    """Turn any error that a damaged archive raises into a DicomError.

    Raises:
        DicomError: The archive is damaged.
        Exception: The machine failed (see faults.py).
    """
    try:
        yield
    except DAMAGE as error:
        if machine_fault(error):
            raise
        message = (
            f"An archive cannot be read to its end ({type(error).__name__}): it is cut short, damaged, or packed in a "
            "way that is not read; make it again or unpack it."
        )
        raise DicomError(BAD, message) from error
