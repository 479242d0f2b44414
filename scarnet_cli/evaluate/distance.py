"""Distances in mm between the surfaces of two masks on an anisotropic grid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


@dataclass(frozen=True, slots=True)
class SurfaceDistance:
    """Distances between two surfaces; both are None if either mask is empty.

    Attributes:
        hausdorff_mm: Greatest distance from a surface voxel of one mask to the nearest one of the other.
        hd95_mm: 95th percentile of these distances, both directions pooled.
    """

    hausdorff_mm: float | None
    hd95_mm: float | None


def surface_distance(
    ours: NDArray[np.bool_], reference: NDArray[np.bool_], spacing_zyx_mm: tuple[float, float, float]
) -> SurfaceDistance:
    """Return the Hausdorff distance and its 95th percentile between two (z, y, x) masks.

    A surface voxel has a face towards the outside, as in the EMIDEC challenge's published code. That code passes the
    spacing in the order x, y, z for an array in z, y, x, so its millimetres differ from these.

    With an empty mask both distances are undefined; only the Dice then reflects the disagreement.

    Args:
        ours: One mask.
        reference: The other mask; swapping them gives the same result.
        spacing_zyx_mm: Distance between voxel centres along each axis.
    """
    if not (ours.any() and reference.any()):
        return SurfaceDistance(None, None)
    box = ndimage.find_objects((ours | reference).astype(np.uint8))[0]
    surfaces = [_surface(mask[box]) for mask in (ours, reference)]
    to_ours, to_reference = (ndimage.distance_transform_edt(~s, sampling=spacing_zyx_mm) for s in surfaces)
    distances = np.concatenate([np.asarray(to_reference)[surfaces[0]], np.asarray(to_ours)[surfaces[1]]])
    return SurfaceDistance(float(distances.max()), float(np.percentile(distances, 95)))


def _surface(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the voxels of a mask with a face towards the outside, which includes everything beyond the array."""
    return mask & ~ndimage.binary_erosion(mask)
