"""Placing a volume that covers a part of a grid on the whole of it, without resampling."""

import numpy as np

from scarnet_cli.image.foreign_nifti import like
from scarnet_cli.image.volume import Volume, same_grid


def place_on_grid(volume: Volume, grid: Volume) -> Volume | None:
    """Return the same voxels on a grid, with zeros where the volume has none; None if its voxels are not the grid's.

    Editors save only the box that holds something. The axes may be in any order; voxels beyond the grid must be zero.
    """
    turned = like(volume, grid)
    first = (np.array(turned.origin_xyz_mm) - grid.origin_xyz_mm) @ grid.direction / grid.spacing_zyx_mm[::-1]
    start = np.round(first).astype(int)[::-1]
    stop = start + turned.shape_zyx
    low, high = np.maximum(start, 0), np.minimum(stop, grid.shape_zyx)
    whole = np.zeros(grid.shape_zyx, turned.array.dtype)
    if (low < high).all():
        there = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        here = tuple(slice(a, b) for a, b in zip(low - start, high - start, strict=True))
        whole[there] = turned.array[here]
    x, y, z = (float(value) for value in grid.world(start))
    box = Volume(turned.array, grid.spacing_zyx_mm, (x, y, z), grid.direction)
    is_whole = np.count_nonzero(whole) == np.count_nonzero(turned.array)
    return grid.with_array(whole) if is_whole and same_grid(turned, box) else None
