"""The number of a member of an archive: its index there, and for one of an archive in the archive both indices.

One whole number holds all indices, the outermost in its lowest bits, so that a member of a plain archive has its index
for a number.
"""

from typing import Final

# Bits of an index: more than an archive may have members. Three indices fit a number that every table can hold.
_BITS: Final = 17
_MASK: Final = (1 << _BITS) - 1


def nested(outer: int, inner: int) -> int:
    """Return the number in the outer archive of what has the number `inner` in the archive at the index `outer`."""
    return outer | (inner + 1) << _BITS


def split(number: int) -> tuple[int, int | None]:
    """Return the index in the outermost archive, and the number in the archive there; None for the index itself."""
    rest = number >> _BITS
    return number & _MASK, rest - 1 if rest else None


def holder(number: int) -> int | None:
    """Return the number of the archive that a member lies in; None where that is the outermost."""
    index, inner = split(number)
    if inner is None:
        return None
    of_inner = holder(inner)
    return index if of_inner is None else nested(index, of_inner)


def in_archive(number: int, index: int) -> int:
    """Return the number of the member at an index in the archive that itself has the number `number`."""
    outer, inner = split(number)
    return nested(outer, index if inner is None else in_archive(inner, index))
