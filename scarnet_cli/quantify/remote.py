"""Remote myocardium: the normal myocardium that n-SD thresholds are measured against, chosen by rule.

The rule, slice by slice, because slices of one stack may be scaled differently:

1. Myocardium without scar, at least 10 mm away from the slice's scar; 5 mm where that leaves too little.
2. Without the pixels on its endocardial and epicardial border, which share signal with blood, fat and lung; they are
   taken in after all where the wall is too thin to leave `MIN_REMOTE_PIXELS`.
3. A slice that still has too few pixels has no remote region of its own and borrows that of the nearest slice that has
   one (of two, the more basal). Where no slice has one, what needs a remote region is undefined.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scarnet_cli.quantify.orientation import HeartFrame
from scarnet_cli.quantify.regions import Regions, distance_mm, pixels_of

REMOTE_DISTANCES_MM: Final = (10.0, 5.0)
# The standard error of an SD from 20 pixels is 16 % of it.
MIN_REMOTE_PIXELS: Final = 20


@dataclass(frozen=True, slots=True)
class Remote:
    """The remote region that one slice is measured against.

    Attributes:
        slice_index: The slice that it lies in.
        pixels: Its size.
        mean: Mean signal.
        sd: Standard deviation of the signal (of the population).
        peak: Greatest signal of a pixel.
        angle_deg: Its middle, from the anterior RV insertion through the septum; None where it goes all the way round.
    """

    slice_index: int
    pixels: int
    mean: float
    sd: float
    peak: float
    angle_deg: float | None


def find_remotes(regions: Regions, frame: HeartFrame) -> list[Remote | None]:
    """Return the remote region of every slice with myocardium; None for other slices, or for all without any."""
    own = [_own_remote(regions, frame, index) for index in range(len(regions.signal))]
    having = [remote for remote in own if remote is not None]
    if not having:
        return [None] * len(own)
    basal_first = 1 if frame.towards_apex @ regions.grid.direction[:, 2] > 0 else -1
    remotes: list[Remote | None] = []
    for index, remote in enumerate(own):
        nearest = min(having, key=lambda r: (abs(r.slice_index - index), basal_first * r.slice_index))
        remotes.append((remote or nearest) if regions.myocardium[index].any() else None)
    return remotes


def remote_mask(
    myocardium: NDArray[np.bool_], scar: NDArray[np.bool_], in_plane_mm: tuple[float, float]
) -> NDArray[np.bool_]:
    """Return one slice's (y, x) remote region by rules 1 and 2; empty where there are too few pixels."""
    away_mm = distance_mm(scar, in_plane_mm) if scar.any() else np.full(scar.shape, np.inf)
    inner = np.asarray(ndimage.binary_erosion(myocardium), bool)
    for least_mm in REMOTE_DISTANCES_MM:
        for wall in (inner, myocardium):
            remote = wall & (away_mm >= least_mm)
            if remote.sum() >= MIN_REMOTE_PIXELS:
                return remote
    return np.zeros_like(scar)


def mean_and_sd(signal: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and population SD; of equal values exactly that value and 0, whatever their rounding."""
    rise = signal - signal[0]
    return float(signal[0] + rise.mean()), float(rise.std())


def _own_remote(regions: Regions, frame: HeartFrame, index: int) -> Remote | None:
    mask = remote_mask(regions.myocardium[index], regions.scar[index], regions.in_plane_mm)
    if not mask.any():
        return None
    signal = regions.signal[index]
    mean, sd = mean_and_sd(signal[mask])
    angle = _mean_angle(frame.angles_deg(index, pixels_of(mask)))
    return Remote(index, int(mask.sum()), mean, sd, float(signal[mask].max()), angle)


def _mean_angle(degrees: NDArray[np.float64]) -> float | None:
    """Return the circular mean; None where no direction prevails (mean resultant length below 0.1)."""
    resultant = np.exp(1j * np.radians(degrees)).mean()
    if abs(resultant) < 0.1:  # noqa: PLR2004 (said in the docstring)
        return None
    return float(np.degrees(np.angle(resultant)) % 360.0)
