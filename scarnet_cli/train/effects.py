"""Effects of MR acquisition: Rician noise, motion ghosts, signal folded at a null level, bias field, large pixels.

Each function takes (B, C, Y, X) intensities in 0..1 and draws all its random numbers from the given generator. Those
named `add_` and `take_` draw strengths too, for augmentation; the others are given one, for tests of robustness as well
(benchmark/disturbances.py).
"""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from scarnet_cli.image.labels import Label

# The heart beats and the chest moves a few times during an acquisition, so ghosts are displaced by the field of view
# divided by one of these.
_GHOST_DISTANCES: Final = (2, 3, 4, 5)
# The nulled signal misses that of healthy myocardium by at most this fraction of its distance from the blood pool's.
_NULL_ERROR: Final = 0.25


def add_rician_noise(image: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Return the magnitude of the image with complex Gaussian noise (Gudbjartsson 1995, doi:10.1002/mrm.1910340618).

    Args:
        image: Intensities; negative ones count as 0.
        strength: Greatest SD of the real and of the imaginary noise; small values are drawn more often.
        generator: Source of all random numbers.
    """
    return rician(image, torch.rand(len(image), 1, 1, 1, generator=generator) ** 2 * strength, generator)


def rician(image: Tensor, sd: Tensor | float, generator: torch.Generator) -> Tensor:
    """Return the image with Rician noise whose complex parts have the given SD (see `add_rician_noise`)."""
    real, imaginary = torch.randn((2, *image.shape), generator=generator)
    return torch.hypot(image.clamp(min=0.0) + sd * real, sd * imaginary)


def add_ghosts(image: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Return the image with a faint copy of itself, displaced along rows or columns like a periodic motion's ghost.

    Args:
        image: Intensities.
        strength: Greatest brightness of the copy; the image loses as much.
        generator: Source of all random numbers.
    """
    share = torch.rand(len(image), 1, 1, 1, generator=generator) * strength
    return ghosted(image, share, generator)


def ghosted(image: Tensor, share: Tensor | float, generator: torch.Generator) -> Tensor:
    """Return the image with a ghost of the given brightness, whose distance and axis are random (see `add_ghosts`)."""
    part = torch.randint(len(_GHOST_DISTANCES), (len(image),), generator=generator).tolist()
    axis = torch.randint(2, (len(image),), generator=generator).tolist()
    shifts = [image.shape[-1] // _GHOST_DISTANCES[p] for p in part]
    copies = [_shifted(one, s, 1 + a) for one, s, a in zip(image, shifts, axis, strict=True)]
    return (1 - share) * image + share * torch.stack(copies)


def _shifted(image: Tensor, shift: int, axis: int) -> Tensor:
    """Return the image moved along an axis and mirrored at its edge, so that no seam is visible."""
    doubled = torch.cat([image, image.flip(axis)], dim=axis)
    return torch.roll(doubled, shift, dims=axis).narrow(axis, 0, image.shape[axis])


def take_magnitude(image: Tensor, labels: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Return the image as a magnitude reconstruction might be: the distance from a null level near the myocardium's.

    Which value no signal has is not known of a scaled slice; benchmark/disturbances.py takes the magnitude itself.

    Args:
        image: Intensities, taken to be phase-sensitive: dark below the null level.
        labels: (B, Y, X) classes; slices without blood pool or healthy myocardium are not changed.
        probability: Probability that a slice is changed.
        generator: Source of all random numbers.
    """
    chosen = torch.rand(len(image), generator=generator) < probability
    error = (torch.rand(len(image), generator=generator) * 2 - 1) * _NULL_ERROR
    changed = image.clone()
    for b in torch.nonzero(chosen).flatten().tolist():
        middle = image[b, image.shape[1] // 2]
        pool, wall = (middle[labels[b] == label] for label in (Label.BLOOD_POOL, Label.MYOCARDIUM))
        if len(pool) and len(wall):
            null = wall.median() + error[b] * (pool.median() - wall.median())
            changed[b] = (image[b] - null).abs()
    return changed


def add_bias(image: Tensor, knots: Tensor) -> Tensor:
    """Return the image times a smooth field, whose ln is interpolated from (B, 1, n, n) knots that span the image."""
    return image * torch.exp(functional.interpolate(knots, image.shape[-2:], mode="bicubic"))


def with_larger_pixels(image: Tensor, factor: float) -> Tensor:
    """Return the image with rows and columns fewer by a factor; each pixel is a mean over those that it covers."""
    size = [round(side / factor) for side in image.shape[-2:]]
    return functional.interpolate(image, size, mode="bilinear", antialias=True)
