"""Measures common to the whole heart, a slice and a segment: the blocks of columns that the tables share."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.quantify.analysis import Analysis
from scarnet_cli.quantify.chords import Chords
from scarnet_cli.quantify.entropy import entropy_bit
from scarnet_cli.quantify.regions import Regions
from scarnet_cli.quantify.remote import Remote
from scarnet_cli.tables.columns import record_of
from scarnet_cli.tables.measures import ShapeMeasures, ThresholdMeasures, WallMeasures
from scarnet_cli.tables.slices import RemoteMeasures

MYOCARDIUM_G_PER_ML: Final = 1.05

# A part of the heart: one slice, some voxels, or (slice(None)) all of it.
Part = int | slice | NDArray[np.bool_]


def volume_ml(mask: NDArray[np.bool_], spacing_zyx_mm: tuple[float, float, float]) -> float:
    """Return the volume in ml of a (z, y, x) mask; the z spacing is the distance between slice centres."""
    return float(mask.sum() * np.prod(spacing_zyx_mm) / 1000.0)


def percent_of(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float | None:
    """Return the percentage of the voxels of `whole` that are in `part`, or None if `whole` is empty."""
    total = int(whole.sum())
    return 100.0 * int((part & whole).sum()) / total if total else None


def threshold_measures(regions: Regions, analysis: Analysis | None, part: Part) -> ThresholdMeasures:
    """Return scar by each threshold as a percentage of a part's myocardium; None if the threshold is undefined."""
    if analysis is None:
        return record_of(ThresholdMeasures, {})
    wall = regions.myocardium[part]
    masks = analysis.masks.by_name()
    return ThresholdMeasures(
        **{f"{name}_percent": None if mask is None else percent_of(mask[part], wall) for name, mask in masks.items()}
    )


def wall_measures(chords: Chords | None) -> WallMeasures:
    """Return the wall measures of a part's chords, all but transmurality; each is None without chords."""
    kim = chords.kim_percent() if chords else None
    if chords is None or kim is None:
        return record_of(WallMeasures, {})
    return WallMeasures(
        *kim,
        endocardial_extent_percent=chords.endocardial_extent_percent(),
        wall_thickness_mm=chords.wall_thickness_mm(),
    )


def shape_measures(regions: Regions, analysis: Analysis | None, part: Part, chords: Chords | None) -> ShapeMeasures:
    """Return a part's scar interface (None without myocardium), scar depth, and entropy of the signal."""
    has_wall = bool(regions.myocardium[part].any())
    return ShapeMeasures(
        scar_interface_mm2=float(analysis.interface_mm2[part].sum()) if analysis and has_wall else None,
        scar_radiality=chords.radiality() if chords else None,
        myocardium_entropy=entropy_bit(regions.signal[part][regions.myocardium[part]]),
        scar_entropy=entropy_bit(regions.signal[part][regions.scar[part]]),
    )


def remote_measures(remote: Remote | None) -> RemoteMeasures | None:
    """Return the position, size and signal of a slice's remote region."""
    if remote is None:
        return None
    return RemoteMeasures(
        remote_slice=remote.slice_index,
        remote_pixels=remote.pixels,
        remote_angle_deg=remote.angle_deg,
        remote_mean=remote.mean,
        remote_sd=remote.sd,
        remote_peak=remote.peak,
    )
