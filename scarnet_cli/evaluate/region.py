"""One scored region of two label maps: overlap, distances and volumes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.evaluate.distance import SurfaceDistance, surface_distance
from scarnet_cli.image.labels import region_mask
from scarnet_cli.image.volume import Volume


def dice(ours: NDArray[np.bool_], reference: NDArray[np.bool_]) -> float:
    """Return the Dice, 2 |A and B| / (|A| + |B|), of two masks of equal shape; it is 1 if both are empty."""
    total = int(np.count_nonzero(ours)) + int(np.count_nonzero(reference))
    return 2.0 * int(np.count_nonzero(ours & reference)) / total if total else 1.0


def dice_of_region(labels: NDArray[np.integer], reference: NDArray[np.integer], region: str) -> float:
    """Return the Dice of one of `REGIONS` in two label maps of equal shape."""
    return dice(region_mask(labels, region), region_mask(reference, region))


@dataclass(frozen=True, slots=True)
class RegionScore:
    """Score of one region of one case; volumes are of the whole stack."""

    dice: float
    distance: SurfaceDistance
    volume_ml: float
    reference_volume_ml: float


def score_region(labels: NDArray[np.integer], reference: Volume, region: str) -> RegionScore:
    """Return the score of one of `REGIONS` of a (z, y, x) label map against the reference on the same grid.

    Two empty regions have a Dice of 1; distances to an empty region are None.
    """
    ours, theirs = region_mask(labels, region), region_mask(reference.array, region)
    return RegionScore(
        dice=dice(ours, theirs),
        distance=surface_distance(ours, theirs, reference.spacing_zyx_mm),
        volume_ml=int(np.count_nonzero(ours)) * reference.voxel_ml,
        reference_volume_ml=int(np.count_nonzero(theirs)) * reference.voxel_ml,
    )
