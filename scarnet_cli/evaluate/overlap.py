"""Overlap of two label maps in the scored regions, as the EMIDEC challenge scores them."""

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.image.labels import REGIONS, region_mask


def dice(ours: NDArray[np.bool_], reference: NDArray[np.bool_]) -> float:
    """Return 2 |A and B| / (|A| + |B|) of two masks of one shape; two empty masks agree: 1."""
    total = np.count_nonzero(ours) + np.count_nonzero(reference)
    return 2.0 * np.count_nonzero(ours & reference) / total if total else 1.0


def region_dice(ours: NDArray[np.integer], reference: NDArray[np.integer]) -> dict[str, float]:
    """Return the Dice of each of `REGIONS` over a whole (z, y, x) label map."""
    return {region: dice(region_mask(ours, region), region_mask(reference, region)) for region in REGIONS}
