"""Scar by signal thresholds: n-SD, full width at half maximum (FWHM), and Schmidt's core and border zone.

References: n-SD and FWHM: A. S. Flett et al., JACC Cardiovasc Imaging 2011;4:150-156, doi 10.1016/j.jcmg.2010.11.015.
Core and border zone: A. Schmidt et al., Circulation 2007;115:2006-2014, doi 10.1161/CIRCULATIONAHA.106.653568.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scarnet_cli.image.components import connected_components
from scarnet_cli.quantify.regions import Regions, distance_mm
from scarnet_cli.quantify.remote import Remote
from scarnet_cli.tables.scans import HalfOf

N_SDS: Final = (2, 3, 4, 5, 6)
# Core and border are sought within this distance of the segmented scar: the width of Schmidt's grey zone, a few pixels.
NEIGHBOURHOOD_MM: Final = 5.0


@dataclass(frozen=True, slots=True)
class ThresholdMasks:
    """Scar masks of all thresholds, each (z, y, x), within the myocardium and with MVO added (except to the border).

    Attributes:
        n_sd: Mask for each n of `N_SDS`; None without any remote region.
        fwhm: Above half of the scar's peak signal, and connected with the scar.
        core: At or above half of the scar's peak signal, near the scar.
        border: Between the remote region's peak and the core, near the scar; None without any remote region.
        half_of: What is halved: the signal itself, or its rise above remote myocardium; None without scar.
        peaks: The scar's peak signal in each slice; None without scar other than MVO.
        halves: The threshold of FWHM and core in each slice; None without scar other than MVO.
    """

    n_sd: dict[int, NDArray[np.bool_]] | None
    fwhm: NDArray[np.bool_]
    core: NDArray[np.bool_]
    border: NDArray[np.bool_] | None
    half_of: HalfOf | None
    peaks: list[float | None]
    halves: list[float | None]

    def by_name(self) -> dict[str, NDArray[np.bool_] | None]:
        """Return the masks by the prefix of their columns."""
        n_sd = {f"scar_{n}sd": self.n_sd[n] if self.n_sd else None for n in N_SDS}
        return {**n_sd, "scar_fwhm": self.fwhm, "core": self.core, "border": self.border}


def find_threshold_masks(regions: Regions, remotes: Sequence[Remote | None]) -> ThresholdMasks:
    """Return the masks of every threshold, applied slice by slice.

    The scar's peak is `peak_signal` of the slice's segmented scar without MVO. Half of it is a valid threshold only if
    the inversion time nulled normal myocardium, that is, if it reaches the peak of remote myocardium. If it does not in
    the median slice with scar (PSIR stored with an offset, bad nulling), all slices use half of the peak's rise above
    the remote mean instead.
    """
    peaks = [_scar_peak(regions, index) for index in range(len(regions.signal))]
    half_of = _half_of(peaks, remotes)
    halves = [_half(peak, remote, half_of) for peak, remote in zip(peaks, remotes, strict=True)]
    empty = np.zeros_like(regions.scar)
    fwhm, core, border = empty | regions.mvo, empty | regions.mvo, empty.copy()
    for index, half in enumerate(halves):
        if half is None:
            continue
        bright = regions.myocardium[index] & (regions.signal[index] > half)
        fwhm[index] |= _touching(bright | regions.mvo[index], regions.scar[index])
        core_here, border_here = _core_and_border(regions, index, half, remotes[index])
        core[index] |= core_here
        border[index] = border_here
    has_remote = any(remote is not None for remote in remotes)
    n_sd = {n: _above_n_sd(regions, remotes, n) for n in N_SDS} if has_remote else None
    return ThresholdMasks(n_sd, fwhm, core, border if has_remote else None, half_of, peaks, halves)


def n_sd_threshold(remote: Remote, n: float) -> float:
    """Return mean + n SD of remote myocardium, in signal units; scar is brighter than this."""
    return remote.mean + n * remote.sd


def peak_signal(signal: NDArray[np.float64], mask: NDArray[np.bool_]) -> float:
    """Return the peak signal of a (y, x) region: the maximum of 3 x 3 means within the region.

    A maximum of single pixels reflects noise: in a region of 500 pixels it is three SDs too high. A mean of up to nine
    pixels reduces this to a third and leaves a plateau unchanged. The region must not be empty.
    """
    highest = float(signal[mask].max())
    # Averages differences from the highest pixel, so that a plateau of equal values gives exactly that value.
    drop = ndimage.convolve(np.where(mask, signal - highest, 0.0), np.ones((3, 3)), mode="constant")
    neighbours = ndimage.convolve(mask.astype(float), np.ones((3, 3)), mode="constant")
    return highest + float((drop[mask] / neighbours[mask]).max())


def _above_n_sd(regions: Regions, remotes: Sequence[Remote | None], n: int) -> NDArray[np.bool_]:
    limits = [np.inf if remote is None else n_sd_threshold(remote, n) for remote in remotes]
    return (regions.myocardium & (regions.signal > np.array(limits)[:, None, None])) | regions.mvo


def _scar_peak(regions: Regions, index: int) -> float | None:
    bright = regions.scar[index] & ~regions.mvo[index]
    return peak_signal(regions.signal[index], bright) if bright.any() else None


def _half_of(peaks: Sequence[float | None], remotes: Sequence[Remote | None]) -> HalfOf | None:
    scarred = [(peak, remote) for peak, remote in zip(peaks, remotes, strict=True) if peak is not None]
    if not scarred:
        return None
    rooms = [peak / 2 - max(remote.peak, 0.0) for peak, remote in scarred if remote is not None]
    return "signal" if not rooms or float(np.median(rooms)) >= 0 else "rise_above_remote"


def _half(peak: float | None, remote: Remote | None, half_of: HalfOf | None) -> float | None:
    if peak is None:
        return None
    zero = remote.mean if half_of == "rise_above_remote" and remote is not None else 0.0
    return zero + (peak - zero) / 2


def _touching(bright: NDArray[np.bool_], scar: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the 8-connected pieces of a (y, x) mask that share a pixel with the scar."""
    pieces, _ = connected_components(bright)
    return bright & np.isin(pieces, np.unique(pieces[scar & bright]))


def _core_and_border(
    regions: Regions, index: int, half: float, remote: Remote | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    signal, scar, mvo = regions.signal[index], regions.scar[index], regions.mvo[index]
    near = distance_mm(scar, regions.in_plane_mm) <= NEIGHBOURHOOD_MM
    near &= regions.myocardium[index]
    core = (near & (signal >= half)) | mvo
    floor = np.inf if remote is None else remote.peak
    return core, near & ~core & (signal > floor)
