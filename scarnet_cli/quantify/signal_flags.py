"""Flags about the signal: contrast of scar and of remote myocardium, nulling, motion and ghosts.

Contrast is how far tissue that should be brighter lies above remote myocardium, in standard deviations of the latter,
so that the scanner's units do not matter. The median slice is judged, because one poor slice does not spoil a study.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.quantify.regions import Regions
from scarnet_cli.quantify.remote import MIN_REMOTE_PIXELS, Remote

# 2-SD is the lowest threshold in use: none separates scar that is less bright from remote myocardium.
LEAST_SCAR_CONTRAST_SD: Final = 2.0
# Of 80 hearts with experts' contours, 4 have less contrast with blood than this and none less than 1.5.
LEAST_BLOOD_CONTRAST_SD: Final = 2.0
# Nulled myocardium is the darkest tissue of the heart. With less contrast to blood than this it was not nulled.
LEAST_NULLED_SD: Final = 1.0
# Ghosts lie as stripes over the wall of one slice. Half of those 80 hearts have a slice whose remote myocardium is 1.1
# times as uneven as in both its neighbours; 3 have one above this limit.
MOST_UNEVEN: Final = 1.75


def find_signal_flags(regions: Regions, remotes: Sequence[Remote | None]) -> dict[str, bool]:
    """Return whether each flag of this module is raised; one that cannot be judged is not."""
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
    """Return how many SDs of remote myocardium a region's median lies above remote's mean, in the median slice.

    Slices with fewer pixels of the region than a remote region needs are left out; without any slice the result is
    None. A region's median is used because the blood pool includes papillary muscles.
    """
    rises = [
        (float(np.median(signal[index][brighter[index]])) - remote.mean, remote.sd)
        for index, remote in enumerate(remotes)
        if remote is not None and np.count_nonzero(brighter[index]) >= MIN_REMOTE_PIXELS
    ]
    # In a remote region without noise, brighter tissue is any number of SDs brighter.
    contrasts = [rise / sd if sd > 0 else np.copysign(np.inf, rise) for rise, sd in rises]
    return float(np.median(contrasts)) if contrasts else None


def _unevenness(remotes: Sequence[Remote | None]) -> float:
    """Return the greatest ratio of a slice's remote SD to the larger one of its two neighbours; 0 without neighbours.

    Both neighbours are compared because, towards the apex, the slanting wall makes each slice less even than the last.
    """
    own = [r.sd if r is not None and r.slice_index == index else None for index, r in enumerate(remotes)]
    inner = zip(own, own[1:], own[2:], strict=False)
    return max((here / max(before, after) for before, here, after in inner if before and here and after), default=0.0)
