"""Entropy of the signal: how unevenly tissue enhances, without a threshold.

Entropy of the myocardium: R. G. Muthalaly et al., Left ventricular entropy is a novel predictor of arrhythmic events,
JACC Cardiovasc Imaging 2019 (online 2018). Entropy of scar: A. F. A. Androulakis et al., JACC Clin Electrophysiol
2019;5:480-489.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# The entropy is then at most 6 bits. With more bins, a small scar would have fewer voxels than bins.
BINS: Final = 64


def entropy_bit(signal: NDArray[np.floating]) -> float | None:
    """Return the Shannon entropy -sum(p log2 p) of a region's signals, in bits.

    The papers count the scanner's grey values, which depend on its scaling. Here p is the fraction of voxels in each of
    `BINS` equal bins from the region's lowest to its highest signal, so that a linear change of signal changes nothing
    (intensity histogram entropy with a fixed bin number, Image Biomarker Standardisation Initiative, doi
    10.1148/radiol.2020191145). The value describes the shape of the distribution, not its width: compare values with
    each other, not with the papers' limits.

    Args:
        signal: (voxels,) signals in any order.

    Returns:
        The entropy; 0 if all signals are equal, None for fewer than `BINS` voxels, which cannot fill the bins.
    """
    if signal.size < BINS:
        return None
    least, greatest = float(signal.min()), float(signal.max())
    if least == greatest:
        return 0.0
    bins = np.minimum(((signal - least) / (greatest - least) * BINS).astype(int), BINS - 1)
    parts = np.bincount(bins) / signal.size
    filled = parts[parts > 0]
    return float(-(filled * np.log2(filled)).sum()) + 0.0
