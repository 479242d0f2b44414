"""The number of a member of an archive: its place there, and for one of an archive in the archive both places.

One whole number holds all places, the outermost in its lowest bits, so that a member of a plain archive has its place
for a number.
"""

from typing import Final

# A place has so many bits: more than an archive may have members. Three places fit a number that every table can hold.
_BITS: Final = 17
_MASK: Final = (1 << _BITS) - 1


def nested(outer: int, inner: int) -> int:
    """Return the number in the outer archive of what has the number `inner` in the archive at the place `outer`."""
    return outer | (inner + 1) << _BITS


def split(number: int) -> tuple[int, int | None]:
    """Return the place in the outermost archive, and the number in the archive there; None for the place itself."""
    rest = number >> _BITS
    return number & _MASK, rest - 1 if rest else None


def holder(number: int) -> int | None:
    """Return the number of the archive that a member lies in; None where that is the outermost."""
    place, inner = split(number)
    if inner is None:
        return None
    of_inner = holder(inner)
    return place if of_inner is None else nested(place, of_inner)


def in_archive(number: int, place: int) -> int:
    """Return the number of the member at a place in the archive that itself has the number `number`."""
    outer, inner = split(number)
    return nested(outer, place if inner is None else in_archive(inner, place))
