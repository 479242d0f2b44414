"""What a NIfTI header claims, checked before ITK sets memory aside for it."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import Final

from scarnet_cli.errors import GeometryError

# A whole heart at 0.5 mm has 32 million voxels; as double precision and copied once they are 768 MiB.
BYTES_LIMIT: Final = 256 << 20
_HEADER: Final = 348
_GZIP: Final = b"\x1f\x8b"


def require_small(path: Path) -> None:
    """Refuse a file whose header claims more than `BYTES_LIMIT` of voxels, or that holds no NIfTI header.

    Raises:
        GeometryError: So it is.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
        with gzip.open(path) if packed else path.open("rb") as file:
            size = _claimed_bytes(file.read(_HEADER))
    except (OSError, EOFError, zlib.error, struct.error) as error:
        message = f"{path.name} is not a NIfTI image that can be read; write it again or leave it out."
        raise GeometryError("unreadable_image", message) from error
    if not 0 < size <= BYTES_LIMIT:
        message = f"{path.name} claims {size} bytes of voxels; up to {BYTES_LIMIT} are read. Write it again."
        raise GeometryError("not_a_volume", message)


def _claimed_bytes(header: bytes) -> int:
    """Return the size of the voxels that a NIfTI-1 or NIfTI-2 header describes, 0 where it describes none."""
    order = "<" if struct.unpack_from("<i", header)[0] in (348, 540) else ">"
    second = struct.unpack_from(f"{order}i", header)[0] == 540  # noqa: PLR2004 (size of a NIfTI-2 header)
    dimensions = (
        struct.unpack_from(f"{order}8q", header, 16) if second else struct.unpack_from(f"{order}8h", header, 40)
    )
    bits = struct.unpack_from(f"{order}h", header, 14 if second else 72)[0]
    used = dimensions[1 : 1 + dimensions[0]] if 1 <= dimensions[0] <= 7 else ()  # noqa: PLR2004 (the standard's most)
    size = max(bits, 8) // 8 if used else 0
    for count in used:
        size *= count if count > 0 else 0
    return size
