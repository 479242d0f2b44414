"""Number the members of archives: one number holds a member's index in its archive and those of nested archives.

The outermost index is in the lowest bits, so the number of a direct member is its index.
"""

from typing import Final

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
