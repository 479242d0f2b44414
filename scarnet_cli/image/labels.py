"""Values of a label map, and the regions that are measured and scored."""

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

_ROUNDING: Final = 0.01


class Label(IntEnum):
    """Value of one voxel in a label map."""

    BACKGROUND = 0
    BLOOD_POOL = 1
    MYOCARDIUM = 2
    SCAR = 3
    MVO = 4


# The scored regions overlap: MVO counts as scar, and scar as myocardium (EMIDEC challenge, SCMR 2020).
REGIONS: Final[dict[str, tuple[Label, ...]]] = {
    "blood_pool": (Label.BLOOD_POOL,),
    "myocardium": (Label.MYOCARDIUM, Label.SCAR, Label.MVO),
    "scar": (Label.SCAR, Label.MVO),
    "mvo": (Label.MVO,),
}


def whole_values(array: NDArray[np.number]) -> NDArray[np.number]:
    """Return a label map's values as whole numbers if all are so but for rounding; otherwise unchanged.

    A program that stores labels by slope and intercept gives 2.996 or 3.0000002 for 3; an image or a resampled label
    map has values of all sizes.
    """
    if array.dtype.kind != "f":
        return array
    whole = np.rint(array)
    return whole if (np.abs(array - whole) <= _ROUNDING).all() else array


def region_mask(labels: NDArray[np.integer], region: str) -> NDArray[np.bool_]:
    """Return the boolean mask of one of `REGIONS`, in the shape of `labels`."""
    return np.isin(labels, REGIONS[region])
