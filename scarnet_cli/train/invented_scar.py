"""Scars invented in healthy walls, including faint and thin ones, which networks miss and real cases rarely have.

A scar extends from the endocardium to some depth, over an angle and a range of slices, with an uneven border; a thick
and wide scar may have a dark core, microvascular obstruction.
"""

from dataclasses import dataclass
from math import pi
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from scarnet_cli.image.labels import Label

# Steepness of the border: the signal rises over about two tenths of the scar's half width and depth.
_STEEP: Final = 12.0
_LEAST_GAP: Final = 0.05
# A pixel gets a label if the tissue fills more than this share of it.
_HALF: Final = 0.5
# Only a thick and wide scar has an obstructed core.
_CORE_DEPTH: Final = 0.5
_CORE_WIDTH: Final = 0.4


@dataclass(frozen=True, slots=True)
class Scars:
    """Properties of invented scars, drawn uniformly from the ranges below.

    Attributes:
        probability: Probability that a stack without scar gets one.
        half_width: Least and greatest half width, in radians.
        depth: Least and greatest depth; 1 is transmural.
        contrast: Least and greatest signal above that of the myocardium; 1 is the blood pool's.
        core: Probability that a thick and wide scar has a dark core.
    """

    probability: float = 0.15
    half_width: tuple[float, float] = (0.2, 1.1)
    depth: tuple[float, float] = (0.25, 1.1)
    contrast: tuple[float, float] = (0.4, 1.3)
    core: float = 0.4


def add_scars(
    signal: Tensor, classes: Tensor, depth: Tensor, how: Scars, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return signal and classes of a batch in which some stacks without scar get one.

    Args:
        signal: (B, C, Y, X).
        classes: (B, C, Y, X).
        depth: (B, C, Y, X), 0 at the endocardium to 1 at the epicardium.
        how: Properties of the scars.
        generator: Source of all random numbers, on the tensors' device.
    """
    if not how.probability:
        return signal, classes
    batch, slices = signal.shape[:2]
    draw = torch.rand((9, batch, 1, 1, 1), generator=generator, device=signal.device)
    wall, pool = classes == Label.MYOCARDIUM, classes == Label.BLOOD_POOL
    level, blood = (_mean(signal, mask) for mask in (wall, pool))
    gap = blood - level
    unscarred = ~_any(classes >= Label.SCAR)
    chosen = unscarred & _any(wall) & _any(pool) & (gap > _LEAST_GAP) & (draw[0] < how.probability)
    half_width, deep, contrast = (
        low + (high - low) * draw[i] for i, (low, high) in enumerate((how.half_width, how.depth, how.contrast), 1)
    )
    wander = torch.randn((batch, slices, 1, 1), generator=generator, device=signal.device)
    away = (_angle(pool) - (2 * draw[4] - 1) * pi - 0.15 * wander + pi) % (2 * pi) - pi
    along = torch.arange(slices, device=signal.device).view(1, -1, 1, 1)
    reach = 0.5 + draw[6] * slices / 2
    present = (along - draw[5] * (slices - 1)).abs() < reach
    uneven = 0.5 * functional.interpolate(
        torch.rand((batch, slices, 12, 12), generator=generator, device=signal.device) - 0.5,
        signal.shape[-2:],
        mode="bicubic",
    )
    inside = torch.minimum(1 - away.abs() / half_width, 1 - depth / deep) + uneven
    scar = torch.sigmoid(_STEEP * inside) * (chosen & present & (wall | pool))
    scar = torch.where(wall, scar, 0.0)
    texture = 1 + 0.5 * uneven
    signal = signal + scar * (level + contrast * gap * texture - signal)
    classes = torch.where(wall & (scar > _HALF), int(Label.SCAR), classes)
    has_core = (deep > _CORE_DEPTH) & (half_width > _CORE_WIDTH) & (draw[7] < how.core)
    middle = torch.minimum(1 - away.abs() / (0.6 * half_width), 1 - ((depth - 0.35 * deep) / (0.3 * deep)).abs())
    core = torch.sigmoid(_STEEP * (middle - 0.2 + uneven)) * has_core * scar
    signal = signal + core * (level + 0.3 * draw[8] * gap - signal)
    return signal, torch.where((classes == Label.SCAR) & (core > _HALF) & chosen, int(Label.MVO), classes)


def _any(mask: Tensor) -> Tensor:
    return mask.flatten(1).any(dim=1)[:, None, None, None]


def _mean(signal: Tensor, mask: Tensor) -> Tensor:
    total = (signal * mask).sum(dim=(1, 2, 3), keepdim=True)
    return total / mask.sum(dim=(1, 2, 3), keepdim=True).clamp(min=1)


def _angle(pool: Tensor) -> Tensor:
    """Return the angle round the blood pool's centre in each slice, (B, C, Y, X) radians."""
    rows = torch.arange(pool.shape[-2], device=pool.device).view(-1, 1).float()
    columns = torch.arange(pool.shape[-1], device=pool.device).view(1, -1).float()
    number = pool.sum(dim=(2, 3), keepdim=True).clamp(min=1)
    row, column = ((pool * line).sum(dim=(2, 3), keepdim=True) / number for line in (rows, columns))
    return torch.atan2(rows - row, columns - column)
