"""Entropy of the signal: how unevenly tissue enhances, without any threshold.

Of the myocardium: R. G. Muthalaly et al., Left ventricular entropy is a novel predictor of arrhythmic events, JACC
Cardiovasc Imaging 2019 (online 2018). Of scar: A. F. A. Androulakis et al., JACC Clin Electrophysiol 2019;5:480-489.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# 6 bits at most. A larger number would have more bins than a small scar has voxels.
BINS: Final = 64


def entropy_bit(signal: NDArray[np.floating]) -> float | None:
    """Return the Shannon entropy -sum(p log2 p) of a region's signals, in bits.

    The papers count the scanner's own grey values, which depend on its scaling. Here p is the part of the voxels in
    each of `BINS` equal bins from the region's least to its greatest signal, so that a linear change of signal changes
    nothing ("fixed bin number" of the Image Biomarker Standardisation Initiative, doi 10.1148/radiol.2020191145, its
    intensity histogram's entropy). It tells the shape of the distribution, not its width: values are to be compared
    with each other, not with the papers' limits.

    Args:
        signal: The voxels' signals in any order.

    Returns:
        0 where all are equal; None of fewer than `BINS` voxels, which cannot fill the bins.
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
