"""Turn tissue signals into an image: shading, texture, motion, limited k-space, ghosts and noise."""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from scarnet_cli.phantom.spec import Contrast

# float32 on the grid for speed; formulas also take float64.
Array: TypeAlias = NDArray[np.floating]

# A voxel counts as lung, and gets vessels, if more than this fraction of it is lung.
_WHOLE: Final = 0.9


def shade(signal: Array, contrast: Contrast, rng: np.random.Generator) -> Array:
    """Return a signal (z, y, x) with the coil's smooth shading (a random quadratic in-plane) and tissue texture."""
    z, y, x = signal.shape
    v, u = np.meshgrid(np.linspace(-1, 1, y, dtype=np.float32), np.linspace(-1, 1, x, dtype=np.float32), indexing="ij")
    a = rng.uniform(-1, 1, 5).astype(np.float32)
    shading = a[0] * u + a[1] * v + 0.5 * (a[2] * u * v + a[3] * (u**2 - 0.33) + a[4] * (v**2 - 0.33))
    grain = rng.standard_normal((z, y // 2 + 1, x // 2 + 1), dtype=np.float32)
    grain = np.repeat(np.repeat(grain, 2, axis=1), 2, axis=2)[:, :y, :x]
    grain = ndimage.gaussian_filter(grain, (0, 1.3, 1.3))
    grain /= grain.std()
    return signal * (1 + contrast.bias * shading) * (1 + contrast.texture * grain)


def lung_vessels(lungs: Array, spacing_mm: float, rng: np.random.Generator) -> Array:
    """Return the signal (z, y, x) of small bright vessels in the lungs; `lungs` is each voxel's fraction of lung."""
    seeds = rng.random(lungs.shape, dtype=np.float32) < 0.004 * spacing_mm**2
    bright = seeds * rng.uniform(0.5, 6.0, lungs.shape).astype(np.float32)
    return ndimage.gaussian_filter(bright, (0, 0.75, 0.75)) * (lungs > _WHOLE)


def _k_window(size: int, kept: float) -> Array:
    """Return a window over FFT frequencies: 1 in the acquired part, with a short roll-off at its edge."""
    frequency = np.abs(np.fft.fftfreq(size)) * 2
    return np.clip((kept - frequency) / 0.12 + 0.5, 0, 1).astype(np.float32)


def acquire(signal: Array, contrast: Contrast, spacing_mm: float, rng: np.random.Generator) -> NDArray[np.complex64]:
    """Return the complex image (z, y, x) of a real signal (z, y, x), acquired slice by slice.

    The real part is PSIR, the absolute value magnitude. y is the phase-encoding direction. Noise is complex Gaussian in
    the acquired part of k-space, scaled so that its SD per channel in the image is `contrast.noise`; the absolute value
    is then Rician. `spacing_mm` is the pixel spacing.
    """
    window = _k_window(signal.shape[1], contrast.resolution[0])[:, None] * _k_window(
        signal.shape[2], contrast.resolution[1]
    )
    k_space = np.asarray(fft.fft2(signal.astype(np.complex64)))
    _add_motion(k_space, contrast, spacing_mm, rng)
    _, y, x = signal.shape
    draw = rng.standard_normal((2, *signal.shape), dtype=np.float32)
    noise = draw[0] + 1j * draw[1]
    k_space += noise * (contrast.noise * np.sqrt(y * x / np.mean(window**2)))
    k_space *= window
    return np.asarray(fft.ifft2(k_space)).astype(np.complex64)


def _add_motion(
    k_space: NDArray[np.complex64], contrast: Contrast, spacing_mm: float, rng: np.random.Generator
) -> None:
    """Add motion blur and ghosts to each slice, by changing its k-space in place."""
    _, y, x = k_space.shape
    ky, kx = np.fft.fftfreq(y)[:, None], np.fft.fftfreq(x)[None, :]
    lines = np.arange(y)[:, None]
    for z, (dx, dy) in enumerate(contrast.blur_mm):
        if dx or dy:
            k_space[z] *= np.sinc((kx * dx + ky * dy) / spacing_mm).astype(np.float32)
    for z, amplitude in enumerate(contrast.ghost):
        if amplitude > 0:
            k_space[z] *= (1 + amplitude * np.sin(lines * rng.uniform(0.15, 0.4) * np.pi)).astype(np.float32)
