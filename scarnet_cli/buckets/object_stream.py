"""Read an object by ranges: one request for a small one, larger and larger pieces of one that is read in sequence."""

import io
from typing import TYPE_CHECKING, Any, Final

from scarnet_cli.buckets.refusals import answers

if TYPE_CHECKING:
    from pyarrow import NativeFile

# Bytes of the first request: most headers end within FEW, most slices within MANY.
FEW: Final = 64 << 10
MANY: Final = 1 << 20
# Bytes of a request that a sequence of them grows to.
_MOST: Final = 8 << 20


class ObjectStream(io.RawIOBase):
    """An open object, seekable; the piece that was read last is kept."""

    def __init__(self, file: "NativeFile", scheme: str, bucket: str, first: int) -> None:
        """Take an open object; the first request reads `first` bytes, those after a jump `FEW`."""
        self._file, self._scheme, self._bucket = file, scheme, bucket
        self._size = file.size()
        self._offset = self._start = 0
        self._piece = memoryview(b"")
        self._ask = first

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the offset."""
        return self._offset

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset and return it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._size}[whence]
        self._offset = max(0, base + offset)
        return self._offset

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 (a writable buffer)
        """Read up to the length of `buffer` bytes into it and return their number.

        Raises:
            MachineError: The server fails.
        """
        wanted = min(len(buffer), self._size - self._offset)
        if wanted <= 0:
            return 0
        begin = self._offset - self._start
        if not 0 <= begin < len(self._piece):
            self._read(wanted)
            begin = 0
        found = self._piece[begin : begin + wanted]
        buffer[: len(found)] = found
        self._offset += len(found)
        return len(found)

    def _read(self, wanted: int) -> None:
        end = self._start + len(self._piece)
        if self._piece:
            follows = 0 <= self._offset - end <= self._ask
            self._ask = min(_MOST, 2 * self._ask) if follows else FEW
        with answers(self._scheme, self._bucket, of_object=True):
            piece = self._file.read_at(min(max(wanted, self._ask), self._size - self._offset), self._offset)
        self._piece, self._start = memoryview(piece), self._offset

    def close(self) -> None:
        """Close it."""
        if not self.closed:
            self._file.close()
        super().close()
