"""Flags that the signal raises: contrast of scar and of remote myocardium, nulling, motion and ghosts.

All compare remote myocardium with what should be brighter, in its own standard deviations, so that the scanner's units
do not matter. Of a study the median slice is judged: one poor slice is no poor study.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.quantify.regions import Regions
from scarnet_cli.quantify.remote import MIN_REMOTE_PIXELS, Remote

# 2-SD is the lowest threshold in use: scar that is less bright is not told from remote myocardium by any.
LEAST_SCAR_CONTRAST_SD: Final = 2.0
# Of 80 hearts with experts' contours 4 have less contrast with blood than this, none less than 1.5.
LEAST_BLOOD_CONTRAST_SD: Final = 2.0
# Nulled myocardium is the darkest tissue of the heart. This near to blood's mean, or above it, it was not nulled.
LEAST_NULLED_SD: Final = 1.0
# Ghosts lie as stripes over the wall of one slice. Of those 80 hearts half have a slice whose remote myocardium is 1.1
# times as uneven as in both its neighbours, 3 one above this.
MOST_UNEVEN: Final = 1.75


def find_signal_flags(regions: Regions, remotes: Sequence[Remote | None]) -> dict[str, bool]:
    """Return for each of this file's codes whether it holds; what cannot be judged does not.

    Args:
        regions: The study.
        remotes: Remote region of each slice, or None.
    """
    blood = _median_contrast(regions.signal, regions.cavity, remotes)
    scar = _median_contrast(regions.signal, regions.scar & ~regions.mvo, remotes)
    return {
        "low_scar_contrast": scar is not None and scar < LEAST_SCAR_CONTRAST_SD,
        "low_remote_contrast": blood is not None and blood < LEAST_BLOOD_CONTRAST_SD,
        "wrong_nulling": blood is not None and blood < LEAST_NULLED_SD,
        "motion_or_ghosts": _unevenness(remotes) > MOST_UNEVEN,
    }


def _median_contrast(
    signal: NDArray[np.float64], brighter: NDArray[np.bool_], remotes: Sequence[Remote | None]
) -> float | None:
    """Return how many SDs of remote myocardium a region's median signal lies above its mean, in the median slice.

    Slices with fewer pixels of the region than a remote region needs are left out; None where that leaves none. The
    median, because papillary muscles belong to the blood pool.
    """
    rises = [
        (float(np.median(signal[index][brighter[index]])) - remote.mean, remote.sd)
        for index, remote in enumerate(remotes)
        if remote is not None and np.count_nonzero(brighter[index]) >= MIN_REMOTE_PIXELS
    ]
    # An even region without any noise: whatever is brighter is so by any number of SDs.
    contrasts = [rise / sd if sd > 0 else np.copysign(np.inf, rise) for rise, sd in rises]
    return float(np.median(contrasts)) if contrasts else None


def _unevenness(remotes: Sequence[Remote | None]) -> float:
    """Return the SD of a slice's remote region over the greater one of its two neighbours', at most; 0 without any.

    Neighbours, because towards the apex a slanting wall makes every slice more uneven than those before it.
    """
    own = [r.sd if r is not None and r.slice_index == index else None for index, r in enumerate(remotes)]
    inner = zip(own, own[1:], own[2:], strict=False)
    return max((here / max(before, after) for before, here, after in inner if before and here and after), default=0.0)
