"""The heart's orientation in a short-axis stack: the apical end, the anterior side and the septal side.

Everything is computed in patient space (LPS), so the order in which the stack is stored does not matter.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.errors import QuantificationError
from scarnet_cli.image.volume import Volume
from scarnet_cli.quantify.regions import Regions, floating, pixels_of
from scarnet_cli.tables.scans import ApexSource, InsertionSource

# Mean direction from base to apex, LPS: left, anterior, inferior. It is the mean normal of the short-axis stacks of the
# Second Annual Data Science Bowl (700 patients).
TOWARDS_APEX: Final = np.array([0.68, -0.61, -0.41])
# Within 60 degrees of the mean, which leaves room for horizontal and vertical hearts, a stack is a plausible short axis
# and its geometry alone decides. Farther off (an axial or nominal grid), the heart's shape is consulted first.
PLAUSIBLE_COSINE: Final = 0.5
# In a short-axis plane the anterior wall is the one nearest to the patient's head: in the mean image of the same 700
# patients the lower edge is 8 degrees off the feet's side. In an axial plane it is the one nearest to the front.
TOWARDS_HEAD: Final = np.array([0.0, 0.0, 1.0])
TOWARDS_FRONT: Final = np.array([0.0, -1.0, 0.0])
_AXIAL_COSINE: Final = 0.9
# From the middle of the anterior wall (segment 1) to the border of segments 1 and 2 (Cerqueira 2002).
_HALF_SECTOR_DEG: Final = 30.0
# A stack's ends differ in shape if the smaller one is below this fraction of the larger.
_CLEARLY_SMALLER: Final = 0.9
# An insertion nearer to the axis than this has no direction.
_MIN_RADIUS_MM: Final = 3.0

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class HeartFrame:
    """Directions of one heart in LPS, and its axis in the stack.

    Attributes:
        towards_apex: Unit vector along the stack's normal, from base to apex.
        apex_source: Whether the stack's geometry or the heart's shape identified the apical end.
        towards_insertion: Unit vector in the slice plane, from the axis to the anterior RV insertion.
        insertion_source: Whether the insertion was given or estimated from patient geometry.
        centres_yx: (slices, 2) heart axis in each slice, in pixels (y, x) of the cut grid; NaN without a heart.
        spacing_yx_mm: Distance between rows and between columns.
        axes: (3, 2) LPS unit vectors along y and along x.
    """

    towards_apex: NDArray[np.float64]
    apex_source: ApexSource
    towards_insertion: NDArray[np.float64]
    insertion_source: InsertionSource
    centres_yx: NDArray[np.float64]
    spacing_yx_mm: tuple[float, float]
    axes: NDArray[np.float64]

    @property
    def plane(self) -> NDArray[np.float64]:
        """(2, 2) matrix from pixels (y, x) off the axis to mm (towards the insertion, towards the septum)."""
        towards_septum = np.cross(self.towards_apex, self.towards_insertion)
        return np.array([self.towards_insertion, towards_septum]) @ self.axes * self.spacing_yx_mm

    def angles_deg(self, slice_index: int, pixels_yx: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the angles (0 to 360) of (..., 2) pixels around the axis, from the insertion through the septum.

        Seen from the apex they run anticlockwise. They are rounded to 1e-6 degrees, so that a pixel on a border falls
        on the same side however the stack is stored.
        """
        offset_mm = (np.asarray(pixels_yx, float) - self.centres_yx[slice_index]) @ self.plane.T
        degrees = np.degrees(np.arctan2(offset_mm[..., 1], offset_mm[..., 0]))
        return np.round(degrees, 6) % 360.0


def find_frame(regions: Regions, rv_insertion: Point | None = None) -> HeartFrame:
    """Return the heart's directions.

    The apical end: if the stack's normal lies within 60 degrees of the mean long axis, geometry decides (the apex
    points left, to the front and down). Otherwise the end with the smaller heart is the apex, unless the areas differ
    by less than 10 %; then geometry decides again.

    The anterior RV insertion, unless given: the middle of the anterior wall faces the patient's head (the patient's
    front on a grid within 26 degrees of axial), the middle of the septum lies 90 degrees from there on the patient's
    right, and the insertion 30 degrees from the anterior middle towards the septum.

    Args:
        regions: The study's regions; there must be myocardium.
        rv_insertion: LPS position in mm of the anterior RV insertion in any slice, or None.

    Raises:
        QuantificationError: The insertion lies on the heart's axis.
    """
    centres = _centres(regions)
    towards_apex, apex_source = _towards_apex(regions)
    if rv_insertion is None:
        side = TOWARDS_FRONT if abs(towards_apex[2]) > _AXIAL_COSINE else TOWARDS_HEAD
        insertion = _turned(_unit(_in_plane(side, towards_apex)), towards_apex, _HALF_SECTOR_DEG)
    else:
        insertion = _given_insertion(regions.grid, centres, np.asarray(rv_insertion, float))
    return HeartFrame(
        towards_apex=towards_apex,
        apex_source=apex_source,
        towards_insertion=insertion,
        insertion_source="estimated" if rv_insertion is None else "given",
        centres_yx=centres,
        spacing_yx_mm=regions.in_plane_mm,
        axes=regions.grid.direction[:, [1, 0]],
    )


def _centres(regions: Regions) -> NDArray[np.float64]:
    """Return (slices, 2) centroids of the cavity with what floats in it, or of the myocardium without a cavity."""
    centres = np.full((len(regions.cavity), 2), np.nan)
    for index, (cavity, wall) in enumerate(zip(regions.cavity, regions.myocardium, strict=True)):
        mask = cavity | floating(wall, cavity) if cavity.any() else wall
        if mask.any():
            centres[index] = pixels_of(mask).mean(axis=0)
    return centres


def _towards_apex(regions: Regions) -> tuple[NDArray[np.float64], ApexSource]:
    normal = _unit(regions.grid.direction[:, 2])
    cosine = float(normal @ _unit(TOWARDS_APEX))
    by_geometry = normal if cosine >= 0 else -normal
    if abs(cosine) >= PLAUSIBLE_COSINE:
        return by_geometry, "geometry"
    first, last = _end_areas(regions)
    if min(first, last) >= _CLEARLY_SMALLER * max(first, last):
        return by_geometry, "geometry"
    return (normal if last < first else -normal), "shape"


def _end_areas(regions: Regions) -> tuple[float, float]:
    """Return the mean area of the heart, in pixels, in the first and in the last third of its slices."""
    with_wall = regions.myocardium.any(axis=(1, 2))
    areas = (regions.cavity | regions.myocardium)[with_wall].sum(axis=(1, 2))
    third = max(len(areas) // 3, 1)
    return float(areas[:third].mean()), float(areas[-third:].mean())


def _given_insertion(grid: Volume, centres: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[np.float64]:
    normal = _unit(grid.direction[:, 2])
    height = (point - grid.origin_xyz_mm) @ normal / grid.spacing_zyx_mm[0]
    slices = np.flatnonzero(np.isfinite(centres[:, 0]))
    nearest = slices[np.abs(slices - height).argmin()]
    axis = grid.world(np.array([float(nearest), *centres[nearest]]))
    offset = _in_plane(point - axis, normal)
    if not np.isfinite(offset).all() or np.linalg.norm(offset) < _MIN_RADIUS_MM:
        message = "The RV insertion lies on the heart's axis; give the LPS position in mm of the anterior RV insertion."
        raise QuantificationError("rv_insertion", message)
    return _unit(offset)


def _in_plane(vector: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector - (vector @ normal) * normal


def _turned(vector: NDArray[np.float64], axis: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """Rotate a vector about `axis`, to which it is perpendicular, anticlockwise as seen from the tip of `axis`."""
    angle = np.radians(degrees)
    return np.cos(angle) * vector + np.sin(angle) * np.cross(axis, vector)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)
