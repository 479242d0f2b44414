"""Paint the body round the heart, in LPS mm: chest wall with fat and ribs, lungs, liver, stomach, spine and aorta."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.phantom.spec import Chest, Contrast

# float32 on the grid for speed; formulas also take float64.
Array: TypeAlias = NDArray[np.floating]


def _ellipsoid_mm(points: Array, centre: tuple[float, ...], half_axes: tuple[float, ...]) -> Array:
    """Return the approximate distance in mm to an ellipsoid's surface (a cylinder's for two axes), negative inside.

    First order: (f - 1) times the smallest half-axis, where f is the scaled distance from the centre. Edges across long
    axes become softer than a pixel, like those of slanted organs in thick slices.
    """
    squares = np.sum([((p - c) / h) ** 2 for p, c, h in zip(points, centre, half_axes, strict=True)], axis=0)
    return (np.sqrt(squares) - 1) * min(half_axes)


def chest_signal(chest: Chest, contrast: Contrast, points: Array, pixel_mm: float) -> tuple[Array, Array]:
    """Return the signal of the body without the heart, and each voxel's fraction of lung; both have shape ...

    `points` are LPS, (3, ...), in mm. Edges are softened over one pixel, the partial volume of a straight edge.
    """
    signal = np.zeros(points.shape[1:], dtype=np.float32)

    def paint(distance_mm: Array, value: float | Array) -> Array:
        cover = np.clip(0.5 - distance_mm / pixel_mm, 0, 1)
        np.add(signal * (1 - cover), value * cover, out=signal)
        return cover

    wide, deep = chest.half_axes_mm
    body = _ellipsoid_mm(points[:2], (0, 0), (wide, deep))
    paint(body, contrast.fat)
    muscle = body + chest.fat_mm
    paint(muscle, contrast.muscle)
    paint(np.maximum(muscle, _ribs_mm(points, chest)), contrast.bone)
    lungs = paint(muscle + chest.muscle_mm, contrast.lung)
    covered = _paint_organs(chest, contrast, points, paint)
    return signal, lungs * (1 - covered)


def _ribs_mm(points: Array, chest: Chest) -> Array:
    """Return the distance in mm to the ribs: slanted rings, 26 mm apart, in the middle of the chest wall."""
    wide, deep = chest.half_axes_mm
    inset = chest.fat_mm + chest.muscle_mm / 2
    across = _ellipsoid_mm(points[:2], (0, 0), (wide - inset, deep - inset))
    along = (points[2] + 0.35 * points[1] + 13) % 26 - 13
    return np.hypot(across, along) - 0.45 * chest.muscle_mm


def _paint_organs(chest: Chest, contrast: Contrast, points: Array, paint: Callable[..., Array]) -> Array:
    """Paint the organs between and below the lungs; return the fraction of each voxel that they cover."""
    wide, deep = chest.half_axes_mm
    depth = chest.fat_mm + chest.muscle_mm
    inner = _ellipsoid_mm(points[:2], (0, 0), (wide - depth, deep - depth))
    paint_parts = [
        paint(_ellipsoid_mm(points[:2], (10, 0.1 * deep), (34, 0.62 * deep)), 0.55 * contrast.fat),
        paint(_ellipsoid_mm(points[:2], (0, 0.52 * deep), (20, 17)), contrast.bone),
        paint(_ellipsoid_mm(points[:2], (24, 0.34 * deep), (12, 12)), contrast.blood),
    ]
    dome = 0.0022 * (points[0] ** 2 + 0.8 * (points[1] + 10) ** 2)
    below = points[2] - chest.diaphragm_mm + dome
    abdomen = np.maximum(below, inner)
    paint_parts.append(paint(abdomen, 0.6 * contrast.fat))
    height = chest.diaphragm_mm
    liver = _ellipsoid_mm(points, (-45, -8, height - 85), (125, 0.9 * deep, 100))
    paint(np.maximum(np.maximum(liver, below + 3), inner + 3), contrast.liver)
    stomach = np.maximum(_ellipsoid_mm(points, (78, 15, height - 48), (48, 40, 44)), below + 5)
    paint(stomach, 1.3 * contrast.liver)
    folds = np.sin(0.45 * points[0] + 0.3 * points[2]) * np.sin(0.5 * points[1])
    inside = -0.6 * contrast.liver if chest.stomach_air else 0.5 * contrast.liver
    paint(stomach + 5, inside * (1 + 0.4 * folds))
    paint(np.maximum(_ellipsoid_mm(points, (100, 62, height - 45), (34, 30, 45)), below + 4), 1.15 * contrast.liver)
    covered = np.zeros_like(inner)
    for part in paint_parts:
        np.maximum(covered, part, out=covered)
    return covered
