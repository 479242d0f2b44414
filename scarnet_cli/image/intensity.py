"""Intensity normalisation: networks see every slice on one scale, whatever the scanner's units."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

CLIP_PERCENTILES: Final = (0.5, 99.5)
# Below this spread a slice is constant (padding); dividing by it would blow up rounding noise.
_LEAST_SPREAD: Final = 1e-6


def normalise_slices(array: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return each slice clipped to its percentiles 0.5 and 99.5, then shifted and scaled to mean 0 and SD 1.

    Args:
        array: (..., y, x) finite intensities on any linear scale, which may differ from slice to slice.

    Returns:
        The same shape; a constant slice becomes zeros.
    """
    low, high = np.percentile(array, CLIP_PERCENTILES, axis=(-2, -1), keepdims=True)
    clipped = np.clip(array, low, high)
    centred = clipped - clipped.mean(axis=(-2, -1), keepdims=True)
    spread = centred.std(axis=(-2, -1), keepdims=True)
    return np.where(spread > _LEAST_SPREAD, centred / np.maximum(spread, _LEAST_SPREAD), 0.0).astype(np.float32)


def scale_slices(array: NDArray[np.number]) -> NDArray[np.float32]:
    """Return each slice scaled so that its percentiles 0.5 and 99.5 become 0 and 1, clipped there.

    Args:
        array: (z, y, x) finite intensities; a constant slice becomes zeros.
    """
    low, high = np.percentile(array, CLIP_PERCENTILES, axis=(1, 2), keepdims=True)
    return np.clip((array - low) / np.maximum(high - low, _LEAST_SPREAD), 0.0, 1.0).astype(np.float32)
