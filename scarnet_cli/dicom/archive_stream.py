"""Bound what zipfile, tarfile and gzip read from an archive: they trust every size that they read."""

import io
from typing import IO, Final

from scarnet_cli.errors import DicomError

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
