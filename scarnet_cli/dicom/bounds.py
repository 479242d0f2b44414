"""What one file may cost: bounds that are checked before memory is taken or time is spent.

A header of a few bytes can claim terabytes, and a file of a megabyte can inflate to a gigabyte. With these bounds no
file takes over 5 s or over 1 GiB, whatever it says; what a scanner writes stays far below them.
"""

import io
import zlib
from typing import BinaryIO, Final

# The files of one study's stack read whole, and its voxels: of both there are about three copies at a time.
STUDY_BYTES: Final = 256 << 20
STUDY_VOXELS: Final = 48 << 20
# All that is read of a file for its header: a scanner's private elements are stepped over, not read.
HEADER_BYTES: Final = 32 << 20
# pydicom reads once to three times an element and needs up to 30 us each time.
READS: Final = 200_000
# One value: the longest that we ask for is a description of 64 characters, or six numbers of 16.
VALUE_BYTES: Final = 1024
# Functional groups and the sequence items in them: 1000 frames of 8 KiB.
GROUPS_BYTES: Final = 8 << 20
GROUPS_ITEMS: Final = 50_000
# An object of more frames is a cine or a flow, no stack of late enhancement.
FRAMES: Final = 1000

_DEFLATED: Final = b"1.2.840.10008.1.2.1.99"
_PLAIN: Final = b"1.2.840.10008.1.2.1\0\0\0"  # of the same length, so that all lengths before it stay true
_ITEMS: Final = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
_STEP: Final = 1 << 16


class OutOfBoundsError(ValueError):
    """A file asks for more than one may have."""


class DeflatedError(ValueError):
    """All that follows is deflated; `offset` is where it begins."""

    def __init__(self, offset: int) -> None:
        """Keep the offset."""
        super().__init__(offset)
        self.offset = offset


class Budget:
    """Bytes that may yet be read, of one file or of several together."""

    __slots__ = ("left",)

    def __init__(self, limit: int) -> None:
        """Start with `limit` bytes."""
        self.left = limit


class BoundedStream:
    """A stream as pydicom reads it, that ends what reads too much or too often.

    Raises:
        OutOfBoundsError: More bytes than the budget has, or more than `READS` pieces, are asked for.
        DeflatedError: Everything to the end is asked for, which pydicom does to inflate it, without a bound.
    """

    def __init__(self, stream: BinaryIO, budget: Budget) -> None:
        """Take a seekable stream; what it gains later is not read."""
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
        if count > _STEP:  # a length that a damaged header claims; so much would be set aside for it
            count = min(count, max(0, self._size - self.tell()))
        self._budget.left -= count
        self._reads_left -= 1
        if self._budget.left < 0 or self._reads_left < 0:
            message = "more elements or bytes than are read of one file"
            raise OutOfBoundsError(message)
        return self._stream.read(count)


def inflate(stream: BinaryIO, offset: int, limit: int, *, whole: bool) -> BinaryIO:
    """Return a deflated file as one in explicit little endian.

    Args:
        stream: The file.
        offset: Where its deflated part begins.
        limit: The most bytes that it may inflate to.
        whole: A longer one is refused; else its first `limit` bytes are returned.

    Raises:
        ValueError: It is damaged, cut short, or longer than `limit`.
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
    """Tell whether a sequence, as it lies in the file, has so few bytes and items that all of it may be read."""
    return len(sequence) <= GROUPS_BYTES and all(sequence.count(item) <= GROUPS_ITEMS for item in _ITEMS)
