"""Intensity normalisation: networks see every slice on the same scale, whatever the scanner's units."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

CLIP_PERCENTILES: Final = (0.5, 99.5)
# A slice with less spread is constant (padding); dividing by it would amplify rounding errors.
_LEAST_SPREAD: Final = 1e-6


def normalise_slices(array: NDArray[np.floating], middle: int | None = None) -> NDArray[np.float32]:
    """Return each slice clipped to its percentiles 0.5 and 99.5, then shifted and scaled to mean 0 and SD 1.

    Args:
        array: (..., y, x) finite intensities on any linear scale, which may differ from slice to slice.
        middle: Take percentiles, mean and SD from this many rows and columns in the middle; None: the whole slice.

    Returns:
        The same shape; a slice that is constant in that area becomes zeros.
    """
    inner = array if middle is None else array[(..., *(middle_of(size, middle) for size in array.shape[-2:]))]
    low, high = np.percentile(inner, CLIP_PERCENTILES, axis=(-2, -1), keepdims=True)
    inner = np.clip(inner, low, high)
    centred = np.clip(array, low, high) - inner.mean(axis=(-2, -1), keepdims=True)
    spread = inner.std(axis=(-2, -1), keepdims=True)
    return np.where(spread > _LEAST_SPREAD, centred / np.maximum(spread, _LEAST_SPREAD), 0.0).astype(np.float32)


def middle_of(size: int, length: int) -> slice:
    """Return the slice that takes the middle `length` of `size` rows or columns."""
    first = (size - length) // 2
    return slice(first, first + length)


def scale_slices(array: NDArray[np.number]) -> NDArray[np.float32]:
    """Return each slice of (z, y, x) scaled so that its percentiles 0.5 and 99.5 become 0 and 1, and clipped to 0..1.

    Args:
        array: (z, y, x) finite intensities; a constant slice becomes zeros.
    """
    low, high = np.percentile(array, CLIP_PERCENTILES, axis=(1, 2), keepdims=True)
    return np.clip((array - low) / np.maximum(high - low, _LEAST_SPREAD), 0.0, 1.0).astype(np.float32)
