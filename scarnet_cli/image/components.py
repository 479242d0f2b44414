"""Connected components of a mask."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def connected_components(
    mask: NDArray[np.bool_], structure: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.int32], int]:
    """Return each voxel's component (from 1; 0 outside the mask) in the mask's shape, and the number of components.

    Args:
        mask: Array with any number of axes.
        structure: Which of its 3 x 3 (x 3) neighbours a voxel connects to; None means all, corners included.
    """
    components = np.zeros(mask.shape, np.int32)
    ndimage.label(mask, np.ones((3,) * mask.ndim, bool) if structure is None else structure, output=components)
    return components, int(components.max(initial=0))


def largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest component of a (z, y, x) mask.

    Voxels are connected if they share a face within a slice, or touch at all between slices.
    """
    structure = np.stack([np.ones((3, 3), bool), ndimage.generate_binary_structure(2, 1), np.ones((3, 3), bool)])
    if not mask.any():
        return mask
    pieces, _ = connected_components(mask, structure)
    return pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
