"""Augmentation of whole batches of stacks on their device: space first, then tissue, then signal, then normalisation.

Slices of a stack are changed together, with small shifts between slices like those between breath-holds. All random
numbers come from the given generator.
"""

from dataclasses import dataclass, field
from functools import cache
from math import pi
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from scarnet_cli.image.intensity import CLIP_PERCENTILES
from scarnet_cli.image.labels import Label
from scarnet_cli.train.effects import add_bias, with_larger_pixels
from scarnet_cli.train.invented_scar import Scars, add_scars

_BYTE: Final = 255.0
_KNOTS: Final = 6
_COARSER: Final = (1.4, 2.0)
_LEAST_SPREAD: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Variation:
    """Strength of each change; values are drawn uniformly from the ranges below, and probabilities apply to a stack.

    Attributes:
        window: Rows and columns of the result.
        enlarge: Centre of the random zooms.
        upright: Share of stacks rotated by up to `tilt` only and not mirrored.
        tilt: Greatest rotation of upright stacks, in radians.
        shift: Greatest shift of the centre, as a fraction of the window.
        log_scale: Greatest |ln| of the zoom.
        stretch: Greatest |ln| of the zoom along one axis alone.
        shear: Greatest shear, as a fraction.
        elastic: Greatest local shift, as a fraction of the window.
        slice_shift: Greatest shift of one slice against its stack, as a fraction of the window.
        blood: Greatest change of the blood pool's signal, as a fraction of its distance from the myocardium's; in half
            of the stacks.
        least_scar_contrast: Least factor by which the scar's contrast to myocardium is multiplied; in half of the
            stacks.
        scars: Properties of scars invented in healthy walls.
        magnitude: Probability of a magnitude reconstruction.
        curve: SD of the ln of the slopes of a random rising curve that maps the signal; in half of the stacks.
        log_gamma: Greatest |ln| of the exponent.
        bias: Greatest amplitude of the smooth multiplicative field.
        blur: Probability of a blur.
        coarse: Probability of a lower resolution.
        ghost: Greatest brightness of a displaced copy; in one stack of ten.
        noise: Greatest SD of added noise; 1 is the slice's full range.
    """

    window: int = 96
    enlarge: float = 1.4
    upright: float = 0.7
    tilt: float = 0.4
    shift: float = 0.1
    log_scale: float = 0.2
    stretch: float = 0.08
    shear: float = 0.06
    elastic: float = 0.04
    slice_shift: float = 0.02
    blood: float = 0.3
    least_scar_contrast: float = 0.6
    scars: Scars = field(default_factory=Scars)
    magnitude: float = 0.05
    curve: float = 0.4
    log_gamma: float = 0.3
    bias: float = 0.2
    blur: float = 0.2
    coarse: float = 0.15
    ghost: float = 0.1
    noise: float = 0.04


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of stacks of C slices.

    Attributes:
        image: (B, C, Y, X) signal, normalised slice by slice.
        signal: (B, C, Y, X) signal before that normalisation.
        labels: (B, C, Y, X) int64 classes.
        maps: (B, C, K, Y, X) further maps that move with the image, such as probabilities; K may be 0.
    """

    image: Tensor
    signal: Tensor
    labels: Tensor
    maps: Tensor


def vary(
    image: Tensor, labels: Tensor, depth: Tensor, maps: Tensor | None, how: Variation, generator: torch.Generator
) -> Batch:
    """Return an augmented and normalised batch.

    Args:
        image: (B, C, S, S) uint8, see `hearts.Hearts`.
        labels: (B, C, S, S) uint8 classes.
        depth: (B, C, S, S) uint8, see `hearts.Hearts`.
        maps: (B, C, K, S, S) or None.
        how: Strengths.
        generator: Source of all random numbers, on the tensors' device.
    """
    batch, slices = image.shape[:2]
    shares = functional.one_hot(labels.long(), len(Label)).movedim(-1, 2).float()
    parts = [image[:, :, None].float() / _BYTE, depth[:, :, None].float() / _BYTE, shares]
    joined = torch.cat(parts if maps is None else [*parts, maps.float()], dim=2).flatten(0, 1)
    grid = _random_grid(batch, slices, image.shape[-1], how, generator)
    moved = functional.grid_sample(joined, grid, align_corners=False).unflatten(0, (batch, slices))
    signal, wall, shares, rest = moved.split([1, 1, len(Label), moved.shape[2] - len(Label) - 2], dim=2)
    signal, classes = signal[:, :, 0], shares.argmax(dim=2)
    signal = _change_tissue(signal, shares, how, generator)
    signal, classes = add_scars(signal, classes, wall[:, :, 0], how.scars, generator)
    if how.magnitude:
        signal = _magnitude(signal, classes, how.magnitude, generator)
    signal = _change_signal(signal, how, generator)
    return Batch(normalise(signal), signal, classes, rest)


def normalise(image: Tensor) -> Tensor:
    """Return (..., y, x) slices, each clipped to its percentiles, with mean 0 and SD 1, as by `normalise_slices`."""
    flat = image.flatten(-2).float()
    low, high = torch.quantile(flat, _ranks(image.device), dim=-1, keepdim=True)
    flat = flat.clamp(low, high)
    spread = flat.std(dim=-1, keepdim=True, unbiased=False)
    flat = torch.where(spread > _LEAST_SPREAD, (flat - flat.mean(dim=-1, keepdim=True)) / (spread + 1e-9), 0.0)
    return flat.view(image.shape)


@cache
def _ranks(device: torch.device) -> Tensor:
    """Return the clip percentiles as fractions; cached by device, since every copy to a GPU waits for the GPU."""
    return torch.tensor([p / 100 for p in CLIP_PERCENTILES], device=device)


def levels(signal: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean signal of healthy myocardium and the blood pool's distance from it in each stack.

    Args:
        signal: (B, C, Y, X).
        classes: (B, C, Y, X).

    Returns:
        Two (B, 1, 1, 1) tensors; both are 0 for a stack that lacks blood pool or healthy myocardium.
    """
    wall, pool = ((classes == label).float() for label in (Label.MYOCARDIUM, Label.BLOOD_POOL))
    (wall_sum, wall_n), (pool_sum, pool_n) = (
        ((signal * mask).sum(dim=(1, 2, 3), keepdim=True), mask.sum(dim=(1, 2, 3), keepdim=True))
        for mask in (wall, pool)
    )
    both = (wall_n > 0) & (pool_n > 0)
    level = torch.where(both, wall_sum / wall_n.clamp(min=1), 0.0)
    return level, torch.where(both, pool_sum / pool_n.clamp(min=1) - level, 0.0)


def _uniform(generator: torch.Generator, shape: tuple[int, ...], limit: float = 1.0) -> Tensor:
    return (torch.rand(shape, generator=generator, device=generator.device) * 2 - 1) * limit


def _chosen(generator: torch.Generator, batch: int, probability: float) -> Tensor:
    """Return (B, 1, 1, 1) random booleans, each true with a probability."""
    return torch.rand((batch, 1, 1, 1), generator=generator, device=generator.device) < probability


def _random_grid(batch: int, slices: int, size: int, how: Variation, generator: torch.Generator) -> Tensor:
    """Return a sampling grid (B * C, window, window, 2) that rotates, mirrors, zooms, shears, shifts and bends."""
    draw = _uniform(generator, (6, batch))
    upright = torch.rand(batch, generator=generator, device=generator.device) < how.upright
    angle = torch.where(upright, draw[0] * how.tilt, draw[0] * pi)
    mirror = torch.where(upright, 1.0, torch.sign(draw[1]))
    zoom = torch.exp(draw[2] * how.log_scale) * how.window / (size * how.enlarge)
    wide, high = zoom * torch.exp(draw[3] * how.stretch), zoom * torch.exp(-draw[3] * how.stretch)
    shear = draw[4] * how.shear
    cos, sin = torch.cos(angle), torch.sin(angle)
    linear = torch.stack(
        [cos * wide * mirror, (-sin + shear * cos) * high, sin * wide * mirror, (cos + shear * sin) * high], dim=1
    ).view(-1, 2, 2)
    unit = 2 * how.window / (size * how.enlarge)
    shift = _uniform(generator, (batch, 2, 1), how.shift * unit)
    theta = torch.cat([linear, shift], dim=2)
    grid = functional.affine_grid(theta, [batch, 1, how.window, how.window], align_corners=False)
    fine, broad = (_uniform(generator, (batch, 2, n, n), how.elastic * unit * s) for n, s in ((7, 0.5), (4, 0.7)))
    shape = (how.window, how.window)
    for coarse in (fine, broad):
        bend = functional.interpolate(coarse, shape, mode="bicubic", align_corners=True)
        grid = grid + bend.movedim(1, -1)
    step = _uniform(generator, (batch, slices, 1, 1, 2), how.slice_shift * unit) ** 3 / (how.slice_shift * unit) ** 2
    return (grid[:, None] + step).flatten(0, 1)


def _change_tissue(signal: Tensor, shares: Tensor, how: Variation, generator: torch.Generator) -> Tensor:
    """Return the signal with the blood pool's brightness and the scars' contrast changed."""
    batch = len(signal)
    level, gap = levels(signal, shares.argmax(dim=2))
    blood = _uniform(generator, (batch, 1, 1, 1), how.blood) * _chosen(generator, batch, 0.5)
    signal = signal + shares[:, :, Label.BLOOD_POOL] * blood * gap
    least = how.least_scar_contrast
    factor = least + (1.2 - least) * torch.rand((batch, 1, 1, 1), generator=generator, device=generator.device)
    factor = torch.where(_chosen(generator, batch, 0.5) & (gap != 0), factor, 1.0)
    return signal + shares[:, :, Label.SCAR] * (factor - 1) * (signal - level)


def _magnitude(signal: Tensor, classes: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Return a batch with some stacks as magnitude reconstructions (see `effects.take_magnitude`)."""
    level, gap = levels(signal, classes)
    null = level + _uniform(generator, (len(signal), 1, 1, 1), 0.25) * gap
    changed = _chosen(generator, len(signal), probability) & (gap != 0)
    return torch.where(changed, (signal - null).abs(), signal)


def _change_signal(signal: Tensor, how: Variation, generator: torch.Generator) -> Tensor:
    """Return the batch with random signal curve, bias field, ghosts, blur, resolution and noise."""
    batch, slices, height, width = signal.shape
    signal = _curve(signal.clamp(0.0, 1.0), how.curve, generator)
    signal = signal.clamp(min=1e-4) ** torch.exp(_uniform(generator, (batch, 1, 1, 1), how.log_gamma))
    signal = add_bias(signal, _uniform(generator, (batch, 1, 4, 4), how.bias))
    signal = _ghost(signal, how.ghost, generator)
    blurred = functional.avg_pool2d(functional.pad(signal, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    share = _uniform(generator, (batch, 1, 1, 1)).abs() * _chosen(generator, batch, how.blur)
    signal = signal + share * (blurred - signal)
    signal = _coarsen(signal, how.coarse, generator)
    strength = _uniform(generator, (batch, 1, 1, 1)) ** 2 * how.noise
    noise = torch.randn((batch, slices, height, width), generator=generator, device=signal.device)
    return signal + strength * noise


def _curve(signal: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Return a signal of 0..1 mapped through a random rising, piecewise linear curve in half of the stacks."""
    batch = len(signal)
    steps = torch.exp(strength * torch.randn((batch, _KNOTS), generator=generator, device=signal.device))
    steps = torch.where(_chosen(generator, batch, 0.5)[:, :, 0, 0], steps, 1.0)
    knots = functional.pad(steps.cumsum(dim=1) / steps.sum(dim=1, keepdim=True), (1, 0)).contiguous()
    scaled = (signal * _KNOTS).flatten(1)
    piece = scaled.long().clamp(max=_KNOTS - 1)
    low, high = knots.gather(1, piece), knots.gather(1, piece + 1)
    return (low + (scaled - piece) * (high - low)).view(signal.shape)


def _ghost(signal: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    share = _uniform(generator, (len(signal), 1, 1, 1), strength).abs() * _chosen(generator, len(signal), 0.1)
    copy = torch.roll(signal, signal.shape[-1] // 3, dims=-1)
    return signal + share * (copy - signal)


def _coarsen(signal: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Return a batch with some stacks as if acquired with larger pixels."""
    for factor in _COARSER:
        back = functional.interpolate(with_larger_pixels(signal, factor), signal.shape[-2:], mode="bilinear")
        signal = torch.where(_chosen(generator, len(signal), probability / len(_COARSER)), back, signal)
    return signal
