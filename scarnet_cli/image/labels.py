"""Values of a label map, and the regions that are measured and scored."""

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray


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


def region_mask(labels: NDArray[np.integer], region: str) -> NDArray[np.bool_]:
    """Return the boolean mask of one of `REGIONS`, in the shape of `labels`."""
    return np.isin(labels, REGIONS[region])
