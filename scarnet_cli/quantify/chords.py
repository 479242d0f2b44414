"""Radial chords through the wall: thickness, transmurality, endocardial extent and depth of scar.

The classes of transmurality are those of R. J. Kim et al., N Engl J Med 2000;343:1445-1453, doi
10.1056/NEJM200011163432003.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scarnet_cli.quantify.orientation import HeartFrame
from scarnet_cli.quantify.regions import Regions, floating, pixels_of
from scarnet_cli.quantify.segments import segment_at
from scarnet_cli.tables.slices import Level

CHORDS: Final = 360
# Upper limits, in percent, of Kim's classes of transmurality, all but the last; the first is chords without scar.
_KIM_LIMITS: Final = (0.0, 25.0, 50.0, 75.0)
_STEP_PIXELS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Chords:
    """The chords through the wall in all slices with a cavity; every array is (chords,).

    Attributes:
        slice_index: Slice of each chord.
        segment: AHA segment of each chord.
        wall_mm: Length within the myocardium.
        scar_percent: Percentage of that length that is scar, MVO included.
        endocardial_scar: Whether the chord has scar at its endocardial end.
        scar_mm2: Scar area of the chord's sector (one `CHORDS`-th of a turn).
        scar_depth: Mean depth of that area in the wall, from 0 (endocardium) to 1 (epicardium); 0 without scar.
    """

    slice_index: NDArray[np.intp]
    segment: NDArray[np.uint8]
    wall_mm: NDArray[np.float64]
    scar_percent: NDArray[np.float64]
    endocardial_scar: NDArray[np.bool_]
    scar_mm2: NDArray[np.float64]
    scar_depth: NDArray[np.float64]

    def chosen(self, which: NDArray[np.bool_]) -> "Chords":
        """Return the chords that a (chords,) mask selects."""
        return Chords(*(getattr(self, name)[which] for name in self.__slots__))

    def transmurality(self) -> float | None:
        """Return the mean scar percentage of the chords that have scar, or None if none has."""
        scarred = self.scar_percent[self.scar_percent > 0]
        return float(scarred.mean()) if scarred.size else None

    def endocardial_extent_percent(self) -> float | None:
        """Return the percentage of chords with scar at their endocardial end, or None without chords."""
        return float(100.0 * self.endocardial_scar.mean()) if self.endocardial_scar.size else None

    def wall_thickness_mm(self) -> float | None:
        """Return the mean length within the myocardium, or None without chords."""
        return float(self.wall_mm.mean()) if self.wall_mm.size else None

    def radiality(self) -> float | None:
        """Return the mean depth of the scar in the wall, 0 (endocardium) to 1 (epicardium), or None without scar."""
        area = float(self.scar_mm2.sum())
        return float(self.scar_depth @ self.scar_mm2) / area if area else None

    def kim_percent(self) -> tuple[float, ...] | None:
        """Return the percentage of chords in each of Kim's five classes, or None without chords.

        The classes are scar in 0, up to 25, up to 50, up to 75 and up to 100 percent of the wall.
        """
        if not self.scar_percent.size:
            return None
        classes = np.searchsorted(_KIM_LIMITS, self.scar_percent, side="left")
        counts = np.bincount(classes, minlength=len(_KIM_LIMITS) + 1)
        return tuple((100.0 * counts / self.scar_percent.size).tolist())


def find_chords(regions: Regions, frame: HeartFrame, levels: list[Level | None]) -> Chords:
    """Return `CHORDS` chords from the axis in every slice with a cavity, without those that meet no wall.

    The cap has no endocardium and so no chords. Of a chord that leaves the wall and enters it again, all lengths in the
    wall count. Myocardium that floats in the cavity (papillary muscles labelled as such) is not wall.
    """
    angles = (np.arange(CHORDS) + 0.5) * 360.0 / CHORDS
    parts = [
        _slice_chords(regions, frame, index, angles, level)
        for index, level in enumerate(levels)
        if level is not None and level != "cap" and regions.cavity[index].any()
    ]
    if not parts:
        none = np.zeros(0)
        return Chords(none.astype(np.intp), none.astype(np.uint8), none, none, none.astype(bool), none, none)
    return Chords(*(np.concatenate([getattr(part, name) for part in parts]) for name in Chords.__slots__))


def _slice_chords(
    regions: Regions, frame: HeartFrame, index: int, angles_deg: NDArray[np.float64], level: Level
) -> Chords:
    positions, radii_mm = _positions(regions, frame, index, angles_deg)
    step_mm = radii_mm[1] - radii_mm[0]
    ring = regions.myocardium[index] & ~floating(regions.myocardium[index], regions.cavity[index])
    wall_part, scar_part = (
        ndimage.map_coordinates(mask.astype(float), positions, order=1, mode="constant")
        for mask in (ring, ring & regions.scar[index])
    )
    wall = wall_part >= 0.5  # noqa: PLR2004 (half of a pixel)
    scar = wall & (scar_part >= 0.5 * wall_part)
    steps = wall.sum(axis=1)
    percent = 100.0 * scar.sum(axis=1) / np.maximum(steps, 1)
    percent = _without_edges(percent, _pixel_in_chords(wall, step_mm, max(regions.in_plane_mm)))
    areas, depths = _scar_areas_and_depths(wall, scar, radii_mm)
    meets = steps > 0
    return Chords(
        slice_index=np.full(int(meets.sum()), index),
        segment=segment_at(level, angles_deg)[meets],
        wall_mm=(steps * step_mm)[meets],
        scar_percent=percent[meets],
        endocardial_scar=(np.take_along_axis(scar, wall.argmax(axis=1)[:, None], axis=1)[:, 0] & (percent > 0))[meets],
        scar_mm2=areas[meets],
        scar_depth=depths[meets],
    )


def _scar_areas_and_depths(
    wall: NDArray[np.bool_], scar: NDArray[np.bool_], radii_mm: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each chord's scar area in mm2 and that area's mean depth in the wall, from (chords, steps) masks.

    A step far from the axis covers a larger area than one near it. Its depth is the fraction of the wall's steps that
    lie before its middle.
    """
    of_step = scar * radii_mm * (radii_mm[1] - radii_mm[0]) * 2 * np.pi / CHORDS
    depth = (np.cumsum(wall, axis=1) - 0.5) / np.maximum(wall.sum(axis=1, keepdims=True), 1)
    areas = of_step.sum(axis=1)
    return areas, (of_step * depth).sum(axis=1) / np.where(areas > 0, areas, 1.0)


def _positions(
    regions: Regions, frame: HeartFrame, index: int, angles_deg: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sampled pixel positions (y and x, chords, steps) from the axis outwards, and their radii in mm."""
    step_mm = _STEP_PIXELS * min(regions.in_plane_mm)
    wall_mm = (pixels_of(regions.myocardium[index]) - frame.centres_yx[index]) * regions.in_plane_mm
    reach_mm = np.hypot(wall_mm[:, 0], wall_mm[:, 1]).max() + max(regions.in_plane_mm)
    radii = np.arange(step_mm / 2, reach_mm, step_mm)
    turns = np.radians(angles_deg)
    directions = np.stack([np.cos(turns), np.sin(turns)])
    per_mm = np.linalg.inv(frame.plane) @ directions
    return frame.centres_yx[index][:, None, None] + per_mm[:, :, None] * radii, radii


def _pixel_in_chords(wall: NDArray[np.bool_], step_mm: float, pixel_mm: float) -> int:
    """Return how many chords one pixel spans in the middle of the wall, at least 1."""
    steps = np.nonzero(wall)[1]
    if not steps.size:
        return 1
    return max(1, math.ceil(CHORDS * pixel_mm / (2 * np.pi * step_mm * (steps.mean() + 0.5))))


def _without_edges(percent: NDArray[np.float64], pixel_chords: int) -> NDArray[np.float64]:
    """Return the scar percentages, with 0 for chords with less than half the scar of another within one pixel.

    On the pixel grid the scar's lateral border is a staircase: chords along it meet scar at some depths only. They
    would lower the mean transmurality of a transmural 60 degree wedge by 5 percentage points.
    """
    greatest = ndimage.maximum_filter1d(percent, 2 * pixel_chords + 1, mode="wrap")
    return np.where(percent >= 0.5 * greatest, percent, 0.0)
