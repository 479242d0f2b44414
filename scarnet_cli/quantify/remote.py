"""Remote myocardium: the normal myocardium that n-SD thresholds are relative to, chosen by rule.

The rule applies to each slice alone, because slices of one stack may be scaled differently:

1. Take the myocardium at least 10 mm away from the slice's scar, or 5 mm if that leaves too little.
2. Leave out its endocardial and epicardial border pixels, which share signal with blood, fat and lung, unless the wall
   is so thin that fewer than `MIN_REMOTE_PIXELS` would remain.
3. A slice that still has too few pixels borrows the remote region of the nearest slice that has one (of two, the more
   basal). If no slice has one, measures that need a remote region are undefined.
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
    """The remote region that one slice is compared with.

    Attributes:
        slice_index: The slice that it lies in.
        pixels: Number of pixels.
        mean: Mean signal.
        sd: Population standard deviation of the signal.
        peak: Highest signal of a pixel.
        angle_deg: Mean angle, from the anterior RV insertion through the septum; None if it goes all the way round.
    """

    slice_index: int
    pixels: int
    mean: float
    sd: float
    peak: float
    angle_deg: float | None


def find_remotes(regions: Regions, frame: HeartFrame) -> list[Remote | None]:
    """Return the remote region of each slice with myocardium, and None for other slices or if no slice has one."""
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
    """Return one slice's (y, x) remote region by rules 1 and 2; it is empty if there are too few pixels."""
    away_mm = distance_mm(scar, in_plane_mm) if scar.any() else np.full(scar.shape, np.inf)
    inner = np.asarray(ndimage.binary_erosion(myocardium), bool)
    for least_mm in REMOTE_DISTANCES_MM:
        for wall in (inner, myocardium):
            remote = wall & (away_mm >= least_mm)
            if remote.sum() >= MIN_REMOTE_PIXELS:
                return remote
    return np.zeros_like(scar)


def mean_and_sd(signal: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean and population SD of a signal; for equal values, exactly that value and 0."""
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
    """Return the circular mean, or None if no direction prevails (mean resultant length below 0.1)."""
    resultant = np.exp(1j * np.radians(degrees)).mean()
    if abs(resultant) < 0.1:  # noqa: PLR2004 (said in the docstring)
        return None
    return float(np.degrees(np.angle(resultant)) % 360.0)
