"""Overlap of two masks, as the EMIDEC challenge scores them."""

import numpy as np
from numpy.typing import NDArray


def dice(ours: NDArray[np.bool_], reference: NDArray[np.bool_]) -> float:
    """Return the Dice, 2 |A and B| / (|A| + |B|), of two masks of equal shape; it is 1 if both are empty."""
    total = int(np.count_nonzero(ours)) + int(np.count_nonzero(reference))
    return 2.0 * int(np.count_nonzero(ours & reference)) / total if total else 1.0
