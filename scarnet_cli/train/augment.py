"""Augmentation of a batch: first in space (image and labels together), then in intensity, then normalisation.

All random numbers come from the given generator, so that a resumed training draws the same as an uninterrupted one.
"""

from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor
from torch.nn import functional

from scarnet_cli.image.intensity import normalise_slices
from scarnet_cli.train.effects import add_bias, add_ghosts, add_rician_noise, take_magnitude
from scarnet_cli.train.paste import paste_scars


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Strength of each transform; values are drawn uniformly from the ranges below.

    Attributes:
        window: Rows and columns of the resulting crops.
        upright: Share of slices that are rotated by up to `tilt` only and not mirrored: most short-axis stacks are
            stored alike, but the network must read every rotation and mirror image.
        tilt: Greatest rotation of upright slices, in radians.
        shift: Greatest shift of the centre, as a fraction of the window.
        log_scale: Greatest |ln| of the zoom.
        shear: Greatest shear, as a fraction.
        log_gamma: Greatest |ln| of the exponent.
        noise: Greatest SD of added noise; 1 is the slice's full range.
        bias: Greatest amplitude of the smooth multiplicative field.
        blur: Probability of a light blur.
        elastic: Greatest local shift, as a fraction of the window; 5 x 5 random shifts are interpolated smoothly.
        enlarge: Centre of the random zooms.
        paste: Probability that a slice without scar gets one from another slice (paste.py).
        magnitude: Probability that a slice is shown as a magnitude reconstruction (effects.py).
        ghost: Greatest brightness of a ghost (effects.py).
        rician: Greatest SD of Rician noise (effects.py).
    """

    window: int
    upright: float = 0.0
    tilt: float = 0.35
    shift: float = 0.1
    log_scale: float = 0.22
    shear: float = 0.08
    log_gamma: float = 0.4
    noise: float = 0.08
    bias: float = 0.35
    blur: float = 0.2
    # Off by default; a transform that is off draws no random numbers, so that older trainings resume unchanged.
    elastic: float = 0.0
    enlarge: float = 1.0
    paste: float = 0.0
    magnitude: float = 0.0
    ghost: float = 0.0
    rician: float = 0.0


def uniform(generator: torch.Generator, shape: tuple[int, ...], limit: float) -> Tensor:
    """Return random numbers, uniform in [-limit, limit]."""
    return (torch.rand(shape, generator=generator) * 2 - 1) * limit


def augment(image: Tensor, labels: Tensor, how: Augmentation, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return an augmented, normalised batch.

    Args:
        image: (B, C, Y, X) intensities in 0..1.
        labels: (B, Y, X) classes.
        how: Strengths.
        generator: Source of all random numbers.

    Returns:
        (B, C, window, window) normalised images and (B, window, window) classes (int64).
    """
    grid = _random_grid(image.shape, how, generator)
    image = functional.grid_sample(image, grid, mode="bilinear", align_corners=False)
    turned = _sample_labels(labels, grid)
    if how.paste:
        image, turned = paste_scars(image, turned, how.paste, generator)
    if how.magnitude:
        image = take_magnitude(image, turned, how.magnitude, generator)
    return normalise(_change_intensity(image, how, generator)), turned


def normalise(image: Tensor) -> Tensor:
    """Return a (B, C, Y, X) batch normalised slice by slice, as at inference."""
    return torch.from_numpy(normalise_slices(image.numpy()))


def centre_window(image: Tensor, labels: Tensor, how: Augmentation) -> tuple[Tensor, Tensor]:
    """Return the normalised middle of a batch for validation, enlarged as in training but not augmented otherwise.

    Args:
        image: (B, C, Y, X) intensities in 0..1.
        labels: (B, Y, X) classes.
        how: Gives window and enlargement.

    Returns:
        As `augment`.
    """
    theta = torch.eye(2, 3).expand(len(image), 2, 3) * how.window / (image.shape[-1] * how.enlarge)
    grid = functional.affine_grid(theta, [len(image), 1, how.window, how.window], align_corners=False)
    image = functional.grid_sample(image, grid, mode="bilinear", align_corners=False)
    return normalise(image), _sample_labels(labels, grid)


def _sample_labels(labels: Tensor, grid: Tensor) -> Tensor:
    """Return the class with the greatest share at each point: the nearest pixel's class would give jagged borders."""
    shares = functional.one_hot(labels.long()).movedim(-1, 1).float()
    return functional.grid_sample(shares, grid, mode="bilinear", align_corners=False).argmax(dim=1)


def _random_grid(shape: torch.Size, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Return a sampling grid (B, window, window, 2) that rotates, mirrors, zooms, shears and shifts."""
    batch, size = shape[0], shape[-1]
    upright = torch.rand(batch, generator=generator) < how.upright
    turn = uniform(generator, (batch,), 1.0)
    angle = torch.where(upright, turn * how.tilt, turn * pi)
    zoom = torch.exp(uniform(generator, (batch,), how.log_scale)) * how.window / (size * how.enlarge)
    mirror = torch.where(upright, 1.0, torch.sign(uniform(generator, (batch,), 1.0)))
    shear = uniform(generator, (batch,), how.shear)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    linear = torch.stack([cos * mirror, -sin + shear * cos, sin * mirror, cos + shear * sin], dim=1).view(-1, 2, 2)
    shift = uniform(generator, (batch, 2, 1), 2 * how.shift * how.window / size)
    theta = torch.cat([linear, shift], dim=2)
    grid = functional.affine_grid(theta, [batch, 1, how.window, how.window], align_corners=False)
    return grid + _bend(batch, how, size, generator) if how.elastic else grid


def _bend(batch: int, how: Augmentation, size: int, generator: torch.Generator) -> Tensor:
    """Return smooth local shifts (B, window, window, 2), in coordinates of -1..1 across the image."""
    coarse = uniform(generator, (batch, 2, 5, 5), 2 * how.elastic * how.window / size)
    return functional.interpolate(coarse, (how.window, how.window), mode="bicubic", align_corners=True).movedim(1, -1)


def _change_intensity(image: Tensor, how: Augmentation, generator: torch.Generator) -> Tensor:
    """Return the batch with random gamma, bias field, ghosts, blur and noise."""
    batch, channels, height, width = image.shape
    gamma = torch.exp(uniform(generator, (batch, 1, 1, 1), how.log_gamma))
    image = image.clamp(min=0.0) ** gamma
    image = add_bias(image, uniform(generator, (batch, 1, 3, 3), how.bias))
    if how.ghost:
        image = add_ghosts(image, how.ghost, generator)
    blurred = functional.avg_pool2d(functional.pad(image, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    share = torch.where(torch.rand(batch, 1, 1, 1, generator=generator) < how.blur, 0.7, 0.0)
    image = image + share * (blurred - image)
    strength = torch.rand(batch, 1, 1, 1, generator=generator) ** 2 * how.noise
    image = image + strength * torch.randn((batch, channels, height, width), generator=generator)
    return add_rician_noise(image, how.rician, generator) if how.rician else image
