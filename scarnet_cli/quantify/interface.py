"""Area of the interface between scar and healthy myocardium."""

from itertools import product

import numpy as np
from numpy.typing import NDArray


def interface_mm2(
    myocardium: NDArray[np.bool_], scar: NDArray[np.bool_], spacing_zyx_mm: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Return the area of the scar-to-healthy interface at each voxel of the myocardium, (z, y, x), in mm2.

    Their sum is the heart's, their sum over a slice or a segment that slice's or segment's. The scar's border with
    blood, with what lies outside the wall, and at the stack's ends is no interface.

    The area is the volume integral of the length of the scar mask's gradient (the coarea formula): in each cell between
    2 x 2 x 2 voxel centres the gradient along each axis is the mean change over those of its four edges that join two
    voxels of myocardium; a cell's area goes to its eight voxels in equal parts, and parts outside the myocardium are
    left out. This is near the surface of marching cubes, but does not depend on how the stack is stored, and needs no
    value outside the wall. Borders that cross the pixels at any angle come out 0 to 9 % too large, where the sum of the
    voxels' faces is 20 to 30 % too large (docs/measures.md).

    Args:
        myocardium: Scar included.
        scar: A part of the myocardium.
        spacing_zyx_mm: From voxel centre to voxel centre.
    """
    wall, part = (np.pad(mask, 1).astype(np.int16) for mask in (myocardium, scar))
    slopes = [_cell_slope(wall, part, axis) / spacing_zyx_mm[axis] for axis in range(3)]
    of_cell = np.sqrt(np.square(slopes).sum(axis=0)) * np.prod(spacing_zyx_mm)
    # A voxel is a corner of eight cells.
    z, y, x = myocardium.shape
    corners = (of_cell[i : i + z, j : j + y, k : k + x] for i, j, k in product(range(2), repeat=3))
    return np.where(myocardium, np.sum(list(corners), axis=0) / 8, 0.0)


def _cell_slope(wall: NDArray[np.int16], scar: NDArray[np.int16], axis: int) -> NDArray[np.float64]:
    """Return each cell's mean change of scar along one axis, per voxel."""
    first, second = (np.take(wall, range(i, wall.shape[axis] - 1 + i), axis) for i in (0, 1))
    joined = first * second
    change = np.diff(scar, axis=axis) * joined
    others = [other for other in range(wall.ndim) if other != axis]
    for other in others:
        joined, change = (_pair_sums(edges, other) for edges in (joined, change))
    return change / np.maximum(joined, 1)


def _pair_sums(edges: NDArray[np.int16], axis: int) -> NDArray[np.int16]:
    count = edges.shape[axis]
    return np.take(edges, range(count - 1), axis) + np.take(edges, range(1, count), axis)
