"""The 17-segment model of the American Heart Association.

M. D. Cerqueira et al., Circulation 2002;105:539-542, doi 10.1161/hc0402.102975. Segment 1 is basal anterior; numbers
run through the septum. The anterior RV insertion is the border between segments 1 and 2 (7 and 8).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.quantify.orientation import HeartFrame
from scarnet_cli.quantify.regions import Regions, pixels_of
from scarnet_cli.tables.slices import Level

SEGMENTS: Final = tuple(range(1, 18))
CAP: Final = 17

# Segments in order of the angle from the insertion through the septum, and the angle at which the first begins. The
# apical septal segment has the same middle as the two septal segments above it: 60 degrees from the insertion.
_SECTORS: Final[dict[Level, tuple[tuple[int, ...], float]]] = {
    "base": ((2, 3, 4, 5, 6, 1), 0.0),
    "mid": ((8, 9, 10, 11, 12, 7), 0.0),
    "apex": ((14, 15, 16, 13), 15.0),
    "cap": ((CAP,), 0.0),
}


def find_levels(regions: Regions, frame: HeartFrame) -> list[Level | None]:
    """Return the level of each slice, None for slices without myocardium.

    Base, mid and apex are thirds of the myocardium's length, from its first to its last slice; a slice belongs to the
    third that its middle lies in. The cap is the myocardium beyond the apical end of the cavity.
    """
    levels: list[Level | None] = [None] * len(regions.myocardium)
    with_wall = np.flatnonzero(regions.myocardium.any(axis=(1, 2)))
    if not with_wall.size:
        return levels
    apex_last = frame.towards_apex @ regions.grid.direction[:, 2] > 0
    base, apex = (with_wall[0], with_wall[-1]) if apex_last else (with_wall[-1], with_wall[0])
    length = abs(int(apex) - int(base)) + 1
    for index in with_wall:
        depth = (abs(int(index) - int(base)) + 0.5) / length
        levels[index] = "base" if depth < 1 / 3 else "mid" if depth < 2 / 3 else "apex"
    for index in _cap_slices(regions, with_wall if apex_last else with_wall[::-1]):
        levels[index] = "cap"
    return levels


def segment_at(level: Level, angles_deg: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a level's segment at each angle (see `HeartFrame.angles_deg`), in the shape of `angles_deg`."""
    order, start = _SECTORS[level]
    sector = ((angles_deg - start) % 360.0) // (360.0 / len(order))
    return np.array(order, np.uint8)[np.minimum(sector.astype(int), len(order) - 1)]


def segment_map(regions: Regions, frame: HeartFrame, levels: list[Level | None]) -> NDArray[np.uint8]:
    """Return the segment (1 to 17) of each voxel of the myocardium, 0 elsewhere, (z, y, x)."""
    segments = np.zeros(regions.myocardium.shape, np.uint8)
    for index, level in enumerate(levels):
        if level is not None:
            wall = regions.myocardium[index]
            segments[index][wall] = segment_at(level, frame.angles_deg(index, pixels_of(wall)))
    return segments


def _cap_slices(regions: Regions, base_to_apex: NDArray[np.intp]) -> list[int]:
    """Return the slices beyond the cavity's apical end; none if no slice has a cavity."""
    cavity = regions.cavity[base_to_apex].any(axis=(1, 2))
    if not cavity.any():
        return []
    return [int(index) for index in base_to_apex[np.flatnonzero(cavity)[-1] + 1 :]]
