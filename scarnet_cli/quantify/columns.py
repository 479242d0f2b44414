"""Columns that scans, slices and segments share: the same measure of the whole heart and of a part of it."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.quantify.chords import KIM_CLASSES, Chords
from scarnet_cli.quantify.entropy import entropy_bit
from scarnet_cli.quantify.orientation import HeartFrame
from scarnet_cli.quantify.regions import Regions
from scarnet_cli.quantify.remote import Remote
from scarnet_cli.quantify.segments import Level
from scarnet_cli.quantify.thresholds import N_SDS, ThresholdMasks

MYOCARDIUM_G_PER_ML: Final = 1.05

# A part of the heart: one slice, some voxels, or (slice(None)) all of it.
Part = int | slice | NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Findings:
    """What has been found in a study with myocardium, before it is summed up.

    Attributes:
        frame: Directions of the heart.
        levels: Level of each slice.
        remotes: Remote region of each slice.
        masks: What each threshold calls scar.
        chords: The chords through the wall.
        interface_mm2: (z, y, x) area of the scar-to-healthy interface at each voxel.
    """

    frame: HeartFrame
    levels: list[Level | None]
    remotes: list[Remote | None]
    masks: ThresholdMasks
    chords: Chords
    interface_mm2: NDArray[np.float64]


def volume_ml(mask: NDArray[np.bool_], spacing_zyx_mm: tuple[float, float, float]) -> float:
    """Return the volume of a (z, y, x) mask, 0 of an empty one; z spacing is from slice centre to slice centre."""
    return float(mask.sum() * np.prod(spacing_zyx_mm) / 1000.0)


def percent_of(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float | None:
    """Return the percentage of a mask's voxels that are in `part`; None where `whole` is empty."""
    total = int(whole.sum())
    return 100.0 * int((part & whole).sum()) / total if total else None


def threshold_percents(regions: Regions, found: Findings | None, part: Part) -> dict[str, Any]:
    """Return scar by each threshold as a percentage of a part's myocardium; None where a threshold is undefined."""
    masks: dict[str, NDArray[np.bool_] | None] = {f"scar_{n}sd": None for n in N_SDS}
    masks |= {"scar_fwhm": None, "core": None, "border": None}
    if found is not None:
        masks |= {f"scar_{n}sd": found.masks.n_sd[n] if found.masks.n_sd else None for n in N_SDS}
        masks |= {"scar_fwhm": found.masks.fwhm, "core": found.masks.core, "border": found.masks.border}
    wall = regions.myocardium[part]
    return {name: None if mask is None else percent_of(mask[part], wall) for name, mask in masks.items()}


def chord_columns(chords: Chords | None) -> dict[str, Any]:
    """Return what a part's chords tell, transmurality aside; None without chords."""
    kim = chords.kim_percent() if chords else None
    return {
        **{f"chords_{name}_percent": kim[name] if kim else None for name in KIM_CLASSES},
        "endocardial_extent_percent": chords.endocardial_extent_percent() if chords else None,
        "wall_thickness_mm": chords.wall_thickness_mm() if chords else None,
        "scar_radiality": chords.radiality() if chords else None,
    }


def shape_columns(regions: Regions, found: Findings | None, part: Part) -> dict[str, Any]:
    """Return a part's interface of scar (None without myocardium) and its signal's entropy (None of too few voxels)."""
    has_wall = bool(regions.myocardium[part].any())
    return {
        "scar_interface_mm2": float(found.interface_mm2[part].sum()) if found and has_wall else None,
        "myocardium_entropy": entropy_bit(regions.signal[part][regions.myocardium[part]]),
        "scar_entropy": entropy_bit(regions.signal[part][regions.scar[part]]),
    }


def remote_columns(remote: Remote | None) -> dict[str, Any]:
    """Return where a slice's remote region lies, its size and its signal."""
    return {
        "remote_slice": remote.slice_index if remote else None,
        "remote_pixels": remote.pixels if remote else None,
        "remote_angle_deg": remote.angle_deg if remote else None,
        "remote_mean": remote.mean if remote else None,
        "remote_sd": remote.sd if remote else None,
        "remote_peak": remote.peak if remote else None,
    }
