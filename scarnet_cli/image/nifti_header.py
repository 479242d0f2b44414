"""What a NIfTI header says: checks made before ITK, which accepts a file that ends early; codes of its orientation."""

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from scarnet_cli.buckets.place import Place
from scarnet_cli.errors import GeometryError
from scarnet_cli.faults import not_written

ORIENTATION_REPAIRED: Final = "orientation_repaired"
ORIENTATION_UNKNOWN: Final = "orientation_unknown"
# A whole heart at 0.5 mm has 32 million voxels: 256 MiB in double precision, 512 MiB with one copy.
BYTES_LIMIT: Final = 256 << 20
_EXTENSIONS_LIMIT: Final = 16 << 20
_HEADER_SIZES: Final = (348, 540)  # of NIfTI-1 and NIfTI-2
_MAGIC_OFFSETS: Final = {348: 344, 540: 4}
_OF_A_PAIR: Final = (b"ni1", b"ni2")
_MOST_DIMENSIONS: Final = 7
_GZIP: Final = b"\x1f\x8b"
_GZIP_LENGTH: Final = struct.Struct("<I")  # the last field of a gzip file
_WRITTEN_HEADER: Final = 1024  # the header and anything that ITK adds to it
_STEP: Final = 1 << 20


def require_whole(path: Place, name: str | None = None) -> None:
    """Refuse a file that is not NIfTI, claims more than `BYTES_LIMIT` of voxels, or ends before its last voxel.

    Args:
        path: The file.
        name: What messages call the file; give it if the file's own name may identify a patient.

    Raises:
        GeometryError: The file is one of these, or the header of a pair.
    """
    name = name or path.name
    try:
        with opened_nifti(path) as file:
            start, size, is_single = _claimed(file.read(_HEADER_SIZES[1]))
            fits = 0 < size <= BYTES_LIMIT and 0 <= start <= _EXTENSIONS_LIMIT
            whole = not (fits and is_single) or _has_bytes(file, start + size)
    except (OSError, EOFError, ValueError, OverflowError, zlib.error, struct.error) as error:
        message = f"{name} is not a NIfTI image that can be read; write it again or leave it out."
        raise GeometryError("unreadable_image", message) from error
    if not is_single:
        message = f"{name} is the header of a pair (.hdr and .img); write both as one file (.nii.gz)."
        raise GeometryError("unreadable_image", message)
    if not fits:
        message = f"{name} claims {size} bytes of voxels; up to {BYTES_LIMIT} are read. Write it again."
        raise GeometryError("not_a_volume", message)
    if not whole:
        message = f"{name} is cut short: it ends before its last voxel; copy it again."
        raise GeometryError("unreadable_image", message)


@contextmanager
def opened_nifti(path: Place) -> Iterator[BinaryIO]:
    """Open a NIfTI file; what is read of a compressed one is unpacked."""
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        if not packed:
            yield file
            return
        with gzip.open(file) as unpacked:
            yield cast("BinaryIO", unpacked)


def require_written(path: Path, voxel_bytes: int) -> None:
    """Check that a NIfTI file just written has the length of its header and voxels.

    Raises:
        MachineError: It is not.
    """
    length = _packed_length(path) if path.suffix == ".gz" else path.stat().st_size
    if not voxel_bytes < length <= voxel_bytes + _WRITTEN_HEADER:
        raise not_written("An image")


def _packed_length(path: Path) -> int:
    """Return the uncompressed size in bytes that a gzip file's last field gives; 0 if the file lacks the field."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _GZIP_LENGTH.size))
        end = file.read()
    return _GZIP_LENGTH.unpack(end)[0] if len(end) == _GZIP_LENGTH.size else 0


def _has_bytes(file: BinaryIO, count: int) -> bool:
    """Tell whether a file holds `count` bytes; a packed one's checksum is compared, which stands at its end.

    Raises:
        OSError: The checksum is another.
    """
    file.seek(0)
    while count > 0 and (piece := file.read(min(count, _STEP))):
        count -= len(piece)
    file.read(_STEP)
    return count == 0


def _claimed(header: bytes) -> tuple[int, int, bool]:
    """Return the offset of the voxels and their size, both in bytes, and whether they are in the same file.

    The size is 0 if the dimensions make no sense.
    """
    sizes = {order: struct.unpack_from(f"{order}i", header)[0] for order in "<>"}
    order = next((order for order, size in sizes.items() if size in _HEADER_SIZES), None)
    if order is None:
        message = "no NIfTI header"
        raise ValueError(message)
    if sizes[order] == _HEADER_SIZES[1]:
        dimensions = struct.unpack_from(f"{order}8q", header, 16)
        (bits,), (start,) = struct.unpack_from(f"{order}h", header, 14), struct.unpack_from(f"{order}q", header, 168)
    else:
        dimensions = struct.unpack_from(f"{order}8h", header, 40)
        (bits,), (start,) = struct.unpack_from(f"{order}h", header, 72), struct.unpack_from(f"{order}f", header, 108)
    used = dimensions[1 : 1 + dimensions[0]] if 1 <= dimensions[0] <= _MOST_DIMENSIONS else (0,)
    magic = header[_MAGIC_OFFSETS[sizes[order]] :][:3]
    return int(start), math.prod(max(0, count) for count in used) * max(0, bits) // 8, magic not in _OF_A_PAIR
