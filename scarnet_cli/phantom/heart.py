"""The ventricles as formulas that give the tissue at any point of the heart frame (see spec.py)."""

import math
from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.image.labels import Label
from scarnet_cli.phantom.spec import Heart, Scar

# float32 on the grid for speed; formulas also take float64.
Array: TypeAlias = NDArray[np.floating]

# The septum spans 120 degrees round the left ventricle, so that both insertions of the right ventricle lie on borders
# of AHA segments. A right ventricle of half-height 1.05 R and half-width a, centred 0.5 R + 0.5655 a towards the
# septum, meets the circle of radius R at +-60 degrees: ((0.5 R - middle) / a)^2 + (sin 60 / 1.05)^2 = 1.
_RV_HALF_HEIGHT: Final = 1.05
_RV_MIDDLE: Final = (0.5, 0.5655)
_RV_LENGTH: Final = 0.9
_PAPILLARY_DEG: Final = (35.0, 245.0)
_PAPILLARY_REACH: Final = (0.2, 0.72)


class Tissue(IntEnum):
    """Tissues of the heart; the first five have the values of a label map."""

    OUTSIDE = Label.BACKGROUND
    BLOOD_POOL = Label.BLOOD_POOL
    MYOCARDIUM = Label.MYOCARDIUM
    SCAR = Label.SCAR
    MVO = Label.MVO
    PAPILLARY = 5
    OTHER_BLOOD = 6
    THIN_WALL = 7
    FAT = 8


# Papillary muscles count as blood pool, as in experts' contours.
LABEL_OF_TISSUE: Final = np.array([0, 1, 2, 3, 4, Label.BLOOD_POOL, 0, 0, 0], dtype=np.uint8)


def wall_radii_mm(heart: Heart, apical_mm: Array, angle: Array) -> tuple[Array, Array]:
    """Return endocardial and epicardial radius in mm, in the common shape of `apical_mm` and `angle`.

    Both surfaces are half-ellipsoids that start at the mitral plane; beyond its apex a radius is 0. Without ovality the
    shell's volume is 2/3 pi (R^2 L - r^2 l), r = R - wall, l = L - apical wall.

    Args:
        heart: The heart.
        apical_mm: Distance from the mitral plane towards the apex.
        angle: Angle round the left ventricle in radians, 0 at lateral.
    """
    outer_mm, length_mm = heart.epicardial_radius_mm, heart.length_mm
    inner_mm, inner_length_mm = outer_mm - heart.wall_mm, length_mm - heart.apical_wall_mm
    second, third = (math.radians(p) for p in heart.ovality_phase_deg)
    outline = 1 + heart.ovality[0] * np.cos(2 * angle - second) + heart.ovality[1] * np.cos(3 * angle - third)
    squared = apical_mm * apical_mm
    epicardium = outer_mm * np.sqrt(np.maximum(1 - squared / length_mm**2, 0)) * outline
    endocardium = inner_mm * np.sqrt(np.maximum(1 - squared / inner_length_mm**2, 0)) * outline
    return endocardium, epicardium


def _off_centre(scar: Scar, apical_mm: Array, angle: Array) -> tuple[Array, Array]:
    """Return distances from the infarct's middle, round and along the wall, scaled so that its edge is at 1."""
    turn = (angle - math.radians(scar.centre_deg) + math.pi) % math.tau - math.pi
    along = apical_mm - (scar.from_mm + scar.to_mm) / 2
    return np.abs(turn) / math.radians(scar.width_deg / 2), np.abs(along) / ((scar.to_mm - scar.from_mm) / 2)


def scar_depth(scar: Scar, apical_mm: Array, angle: Array) -> Array:
    """Return the fraction of the wall, from the endocardium outwards, that an infarct takes; 0 outside the infarct.

    The fraction exceeds 1 in a broad transmural infarct, whose `transmurality_fraction` is above 1. Arguments as in
    `wall_radii_mm`.
    """
    off_round, off_along = _off_centre(scar, apical_mm, angle)
    if math.isinf(scar.roundness):
        return np.where((off_round <= 1) & (off_along <= 1), scar.transmurality_fraction, 0.0)
    fall = np.maximum(1 - off_round**scar.roundness - off_along**scar.roundness, 0)
    return scar.transmurality_fraction * fall ** (1 / scar.roundness)


def _obstructed(scar: Scar, apical_mm: Array, angle: Array, depth: Array) -> NDArray[np.bool_]:
    """Return a mask of the microvascular obstruction, a smaller ellipsoid in the infarct's middle."""
    off_round, off_along = _off_centre(scar, apical_mm, angle)
    middle = 0.5 * min(scar.transmurality_fraction, 1.0)
    return off_round**2 + off_along**2 + ((depth - middle) / middle) ** 2 < scar.mvo_fraction**2


def _papillaries(heart: Heart, points: Array, angle: Array, endocardium: Array) -> NDArray[np.bool_]:
    """Return a mask of papillary muscles and trabeculae, valid for points inside the blood pool."""
    lateral, anterior, apical = points
    ridges = heart.trabeculae_mm * np.cos(11 * angle + 0.12 * apical)
    inside = np.hypot(lateral, anterior) > endocardium - ridges
    low, high = (reach * heart.length_mm for reach in _PAPILLARY_REACH)
    taper = np.sqrt(np.maximum(1 - ((apical - (low + high) / 2) / ((high - low) / 2)) ** 2, 0))
    for radius_mm, turn_deg in zip(heart.papillary_mm, _PAPILLARY_DEG, strict=True):
        turn = math.radians(turn_deg)
        middle = np.maximum(endocardium - 1.2 * radius_mm, 0)
        distance = np.hypot(lateral - middle * math.cos(turn), anterior - middle * math.sin(turn))
        inside |= distance < radius_mm * taper
    return inside


def _right_heart(heart: Heart, points: Array, epicardium: Array, fat_mm: Array) -> tuple[NDArray[np.bool_], ...]:
    """Return masks of the right ventricle's fat, wall and blood, outermost first; they overlap the left ventricle.

    The right ventricle ends before the left ventricle's apex; behind the mitral plane the same outlines represent the
    atria.
    """
    lateral, anterior, apical = points
    reach = np.clip(apical / (_RV_LENGTH * heart.length_mm), -1, 1)
    radius = epicardium * np.sqrt(1 - reach**4)
    width = heart.rv_width * radius
    across = (lateral + _RV_MIDDLE[0] * radius + _RV_MIDDLE[1] * width) ** 2
    upward = anterior**2
    masks = []
    for grown_mm in (heart.rv_wall_mm + fat_mm, heart.rv_wall_mm, 0.0):
        level = across / (width + grown_mm + 1e-3) ** 2 + upward / (_RV_HALF_HEIGHT * radius + grown_mm + 1e-3) ** 2
        masks.append((level < 1) & (radius > 0))
    return tuple(masks)


def tissue_at(heart: Heart, points: Array) -> NDArray[np.uint8]:
    """Return the `Tissue` (uint8, shape ...) at points (3, ...) of the heart frame: lateral, anterior, apical in mm."""
    lateral, anterior, apical = points
    radius, angle = np.hypot(lateral, anterior), np.arctan2(anterior, lateral)
    endocardium, epicardium = wall_radii_mm(heart, apical, angle)
    fat_mm = heart.fat_mm * np.maximum(1 + 1.3 * np.cos(angle - math.radians(heart.fat_side_deg)), 0)
    tissue = np.zeros(radius.shape, dtype=np.uint8)
    outer, rv_wall, rv_blood = _right_heart(heart, points, epicardium, fat_mm)
    tissue[outer | ((radius < epicardium + fat_mm) & (epicardium > 0))] = Tissue.FAT
    tissue[rv_wall] = Tissue.THIN_WALL
    tissue[rv_blood] = Tissue.OTHER_BLOOD
    _add_left_ventricle(heart, tissue, points, (radius, angle, endocardium, epicardium))
    return tissue


def _add_left_ventricle(
    heart: Heart, tissue: NDArray[np.uint8], points: Array, polar: tuple[Array, Array, Array, Array]
) -> None:
    """Write the left ventricle, and the left atrium behind its mitral plane, into `tissue`."""
    inside = polar[0] < polar[3]
    radius, angle, endocardium, epicardium = (a[inside] for a in polar)
    within = points[:, inside]
    depth = (radius - endocardium) / np.maximum(epicardium - endocardium, 1e-6)
    found = np.full(radius.shape, Tissue.MYOCARDIUM, dtype=np.uint8)
    obstructed = np.zeros(radius.shape, dtype=bool)
    for scar in heart.scars:
        infarct = (depth >= 0) & (depth < scar_depth(scar, within[2], angle))
        found[infarct] = Tissue.SCAR
        if scar.mvo_fraction > 0:
            obstructed |= infarct & _obstructed(scar, within[2], angle, depth)
    found[obstructed] = Tissue.MVO
    blood = radius < endocardium
    found[blood] = Tissue.BLOOD_POOL
    found[blood & _papillaries(heart, within, angle, endocardium)] = Tissue.PAPILLARY
    atrium = within[2] < 0
    found[atrium] = Tissue.OTHER_BLOOD
    found[atrium & (radius > epicardium - heart.rv_wall_mm)] = Tissue.THIN_WALL
    tissue[inside] = found
