"""Bounds on the memory and time that one file may take, checked before either is spent.

A header of a few bytes can claim terabytes, and a file of a megabyte can inflate to a gigabyte. With these bounds no
file takes over 5 s or over 1 GiB, whatever it claims; what a scanner writes stays far below them.
"""

import io
import zlib
from typing import BinaryIO, Final

# Bytes and voxels of one study's stack; about three copies of each are in memory at a time.
STUDY_BYTES: Final = 256 << 20
STUDY_VOXELS: Final = 48 << 20
# Bytes read from a file for its header; a scanner's private elements are skipped, not read.
HEADER_BYTES: Final = 32 << 20
# pydicom reads one to three times for each element and needs up to 30 us each time.
READS: Final = 200_000
# One value: the longest ones needed are a description of 64 characters and six numbers of 16.
VALUE_BYTES: Final = 1024
# Functional groups and the sequence items in them: 1000 frames of 8 KiB.
GROUPS_BYTES: Final = 8 << 20
GROUPS_ITEMS: Final = 50_000
# An object with more frames is a cine or flow series, not an LGE stack.
FRAMES: Final = 1000

_DEFLATED: Final = b"1.2.840.10008.1.2.1.99"
_PLAIN: Final = b"1.2.840.10008.1.2.1\0\0\0"  # the same length, so that the group length stays correct
_ITEMS: Final = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
_STEP: Final = 1 << 16


class OutOfBoundsError(ValueError):
    """A file exceeds the bounds."""


class DeflatedError(ValueError):
    """The rest of the file, from `offset`, is deflated."""

    def __init__(self, offset: int) -> None:
        """Store the offset of the deflated part."""
        super().__init__(offset)
        self.offset = offset


class Budget:
    """Bytes that may still be read, from one file or from several together."""

    __slots__ = ("left",)

    def __init__(self, limit: int) -> None:
        """Start with `limit` bytes."""
        self.left = limit


class BoundedStream:
    """A stream for pydicom that refuses to be read too much or too often.

    Raises:
        OutOfBoundsError: The reads exceed the budget, or there are more than `READS` of them.
        DeflatedError: pydicom reads to the end at once, which it does to inflate the rest without a bound.
    """

    def __init__(self, stream: BinaryIO, budget: Budget) -> None:
        """Take a seekable stream; bytes appended to it later are not read."""
        self._stream = stream
        self._budget, self._reads_left = budget, READS
        offset = stream.tell()
        self._size = stream.seek(0, io.SEEK_END)
        stream.seek(offset)
        self.tell, self.seek, self.close = stream.tell, stream.seek, stream.close

    def read(self, count: int = -1) -> bytes:
        """Return up to `count` bytes."""
        if count < 0:
            raise DeflatedError(self.tell())
        if count > _STEP:  # a damaged header may claim any length, and a read allocates it
            count = min(count, max(0, self._size - self.tell()))
        self._budget.left -= count
        self._reads_left -= 1
        if self._budget.left < 0 or self._reads_left < 0:
            message = "more elements or bytes than are read of one file"
            raise OutOfBoundsError(message)
        return self._stream.read(count)


def inflate(stream: BinaryIO, offset: int, limit: int, *, whole: bool) -> BinaryIO:
    """Return a deflated file as an explicit little endian one.

    Args:
        stream: The file.
        offset: Offset of its deflated part.
        limit: Greatest number of bytes that it may inflate to.
        whole: Refuse a longer file instead of returning about `limit` bytes of it.

    Raises:
        ValueError: The file is damaged or cut short, or longer than `limit` if `whole`.
    """
    stream.seek(0)
    inflated = bytearray(stream.read(offset).replace(_DEFLATED, _PLAIN))
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        while not engine.eof and len(inflated) <= limit and (piece := stream.read(_STEP)):
            inflated += engine.decompress(piece, limit + 1 - len(inflated))
    except zlib.error as error:
        message = "its deflated part is damaged"
        raise ValueError(message) from error
    longer = len(inflated) > limit
    if (longer and whole) or not (longer or engine.eof):
        message = f"its deflated part is cut short or longer than {limit} bytes"
        raise OutOfBoundsError(message)
    return io.BytesIO(inflated)


def few_items(sequence: bytes) -> bool:
    """Tell whether a sequence, given as encoded in the file, is within the bounds on bytes and items."""
    return len(sequence) <= GROUPS_BYTES and all(sequence.count(item) <= GROUPS_ITEMS for item in _ITEMS)
