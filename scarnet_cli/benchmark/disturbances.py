"""Disturbed cases: images as worse acquisitions and other settings would give them, to see what a model stands.

Signals are scaled slice by slice to 0..1 (`scale_slices`) before they are changed, as for the crop. The expert's labels
are changed only where voxels move, join or go: by turns, larger pixels and missing slices.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from scarnet_cli.cases.cases import Case
from scarnet_cli.image.intensity import CLIP_PERCENTILES, scale_slices
from scarnet_cli.image.labels import Label
from scarnet_cli.image.resample import centre_yx_mm, one_hot, resample_labels, resample_to
from scarnet_cli.image.volume import Volume
from scarnet_cli.infer.localise import CROP_PIXEL_MM, CROP_SIZE
from scarnet_cli.train.effects import add_bias, ghosted, rician, with_larger_pixels

# A case, a severity and the source of all random numbers -> the disturbed case.
Disturb = Callable[[Case, float, torch.Generator], Case]

_BIAS_KNOTS: Final = 4
# Full width at half maximum of a Gaussian, in SDs.
_FWHM: Final = 2 * math.sqrt(2 * math.log(2))


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A disturbance with the severities at which it is tried.

    Attributes:
        title: Name for tables and pictures.
        unit: What its severities are.
        severities: In rising order.
        none: The severity that would change nothing; None if there is none.
        disturb: The disturbance itself.
    """

    title: str
    unit: str
    severities: tuple[float, ...]
    none: float | None
    disturb: Disturb


def random_numbers(seed: int, name: str, case_id: str, repeat: int) -> torch.Generator:
    """Return the source of one disturbance's random numbers: the same at all severities, so that only these differ."""
    digest = hashlib.sha256(f"{seed} {name} {case_id} {repeat}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7]))


def _signal(case: Case) -> Tensor:
    """Return the scaled image as one stack of a batch, (1, z, y, x)."""
    return torch.from_numpy(scale_slices(case.image.array))[None]


def _with_signal(case: Case, signal: Tensor) -> Case:
    return replace(case, image=case.image.with_array(signal[0].numpy()))


def _noisy(case: Case, percent: float, generator: torch.Generator) -> Case:
    signal = _signal(case)
    return _with_signal(case, rician(signal, percent / 100 * _range_round_heart(case, signal), generator))


def _range_round_heart(case: Case, signal: Tensor) -> float:
    """Return the range of the signal, percentile 0.5 to 99.5, in the crop's area round the heart; of a blank one 1.

    Padding and single bright spots elsewhere would stretch it by a factor of about 2.5 (EMIDEC), and the noise with it.
    """
    heart = np.argwhere(case.labels.array)[:, 1:]
    middle = heart.mean(axis=0) if len(heart) else np.array(case.image.shape_zyx[1:]) / 2
    half = CROP_SIZE * CROP_PIXEL_MM / 2 / np.array(case.image.spacing_zyx_mm[1:])
    (top, left), (bottom, right) = np.maximum(middle - half, 0).astype(int), (middle + half).astype(int)
    seen = signal.numpy()[..., top:bottom, left:right]
    values = seen[seen > 0]
    return float(np.ptp(np.percentile(values, CLIP_PERCENTILES))) if len(values) else 1.0


def _biased(case: Case, factor: float, generator: torch.Generator) -> Case:
    """Multiply the signal by a field whose knots lie between 1 / factor and factor, and reach one of them."""
    knots = torch.rand((1, 1, _BIAS_KNOTS, _BIAS_KNOTS), generator=generator) * 2 - 1
    image, zero = case.image.array.astype(np.float32), _no_signal(case.image.array)
    signal = add_bias(torch.from_numpy(image - zero)[None], knots / knots.abs().max() * math.log(factor))
    shaded = np.where(_padding(image), image, zero + signal[0].numpy())
    return replace(case, image=case.image.with_array(shaded.astype(np.float32)))


def _ghosted(case: Case, percent: float, generator: torch.Generator) -> Case:
    return _with_signal(case, ghosted(_signal(case), percent / 100, generator))


def _blurred(case: Case, fwhm_mm: float, _generator: torch.Generator) -> Case:
    pixels = (0.0, *(fwhm_mm / _FWHM / spacing for spacing in case.image.spacing_zyx_mm[1:]))
    blurred = ndimage.gaussian_filter(scale_slices(case.image.array), pixels, mode="nearest")
    return replace(case, image=case.image.with_array(blurred))


def _bent(case: Case, gamma: float, _generator: torch.Generator) -> Case:
    return _with_signal(case, _signal(case) ** gamma)


def _contrasted(case: Case, factor: float, _generator: torch.Generator) -> Case:
    """Enlarge each signal's distance from the middle of the range and clip to the range, as a narrow window does."""
    return _with_signal(case, (0.5 + factor * (_signal(case) - 0.5)).clamp(0.0, 1.0))


def _magnitude(case: Case, nulled_percent: float, _generator: torch.Generator) -> Case:
    """Return the magnitude image of the same acquisition, or of one that takes some of the healthy wall's signal.

    The inversion time takes the same signal from all tissue that has that much, and from air, which has none, nothing.
    """
    image = case.image.array.astype(np.float32)
    padding = _padding(image)
    wall = image[(case.labels.array == Label.MYOCARDIUM) & ~padding]
    zero = _no_signal(image)
    signal = image - zero
    most = max(float(np.median(wall)) - zero, 0.0) if len(wall) else 0.0
    magnitude = np.abs(signal - nulled_percent / 100 * signal.clip(0.0, most))
    return replace(case, image=case.image.with_array(np.where(padding, np.float32(0.0), magnitude)))


def _padding(image: NDArray[np.number]) -> NDArray[np.bool_]:
    """Return where an image (z, y, x) has its least value, and the edge of that, which is a mean of it and signal."""
    return np.asarray(ndimage.maximum_filter(image == image.min(), (1, 3, 3)), bool)


def _no_signal(image: NDArray[np.number]) -> float:
    """Return the value that no signal has in a phase-sensitive image (z, y, x): 0, or of unsigned ones the middle.

    EMIDEC stores 0 to 255; 127 or 128 is the commonest value, that of air, in 54 of its 80 images, and a narrow peak in
    most others.
    """
    low, high = float(image.min()), float(image.max())
    return 0.0 if low < 0 else (low + high) / 2


def _turned(case: Case, degrees: float, _generator: torch.Generator) -> Case:
    """Turn image and labels about the middle of the slices; what comes in from outside is dark background."""
    grid = _turned_grid(case.image, math.radians(degrees))
    dark = float(case.image.array.min())
    image = resample_to(case.image.with_array(case.image.array.astype(np.float32)), grid, outside=dark)
    labels = resample_labels(case.labels, grid, len(Label))
    return replace(case, image=case.image.with_array(image.array), labels=case.labels.with_array(labels.array))


def _turned_grid(volume: Volume, angle: float) -> Volume:
    y_mm, x_mm = centre_yx_mm(volume)
    turn = np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
    from_centre = np.array([-x_mm, -y_mm, 0.0])
    x, y, z = (volume.direction @ (turn @ from_centre - from_centre) + volume.origin_xyz_mm).tolist()
    return replace(volume, origin_xyz_mm=(x, y, z), direction=volume.direction @ turn)


def _coarse(case: Case, factor: float, _generator: torch.Generator) -> Case:
    """Return the case with larger pixels; each has the class that covers most of it."""
    signal = with_larger_pixels(_signal(case), factor)
    shares = with_larger_pixels(torch.from_numpy(one_hot(case.labels, len(Label))), factor)
    grid = _coarse_grid(case.image, signal[0].numpy())
    return replace(case, image=grid, labels=grid.with_array(shares.argmax(dim=0).numpy().astype(np.uint8)))


def _coarse_grid(volume: Volume, array: NDArray[np.float32]) -> Volume:
    """Return a volume of fewer rows and columns that covers the same area."""
    old, new = np.array(volume.shape_zyx), np.array(array.shape)
    z_mm, y_mm, x_mm = (np.array(volume.spacing_zyx_mm) * old / new).tolist()
    x, y, z = volume.world((old / new - 1) / 2).tolist()
    return replace(volume, array=array, spacing_zyx_mm=(z_mm, y_mm, x_mm), origin_xyz_mm=(x, y, z))


def _incomplete(case: Case, number: float, generator: torch.Generator) -> Case:
    """Return the case without some of its slices, any but the last one left; the others close up."""
    slices = case.image.shape_zyx[0]
    kept = sorted(torch.randperm(slices, generator=generator)[min(int(number), slices - 1) :].tolist())
    image, labels = (replace(volume, array=volume.array[kept]) for volume in (case.image, case.labels))
    return replace(case, image=image, labels=labels)


NOISE: Final = "rician_noise"
MAGNITUDE: Final = "magnitude"
# SD of noise, in percent of the range round the heart, that a model has to stand. The paper reports Monte Carlo noise
# (doi:10.1016/j.jocmr.2025.101945); what we could read of it does not say how strong. Its authors' published code
# (github.com/NedaTavakoli/ScarNet, data/augnentation.py, commit 91376ae) adds noise of this SD to crops in training.
NOISE_PERCENT: Final = 5.0
# The magnitude of what was acquired, which scanners give beside the phase-sensitive image.
AS_ACQUIRED: Final = 0.0

DISTURBANCES: Final[Mapping[str, Disturbance]] = {
    NOISE: Disturbance("Rician noise", "SD, % of the range", (2.0, NOISE_PERCENT, 10.0), 0.0, _noisy),
    "bias_field": Disturbance("Bias field", "greatest factor", (1.5, 2.0), 1.0, _biased),
    "ghosts": Disturbance("Ghosts", "brightness, %", (10.0, 20.0, 30.0), 0.0, _ghosted),
    "blur": Disturbance("Blur", "FWHM, mm", (2.0, 4.0), 0.0, _blurred),
    "gamma": Disturbance("Gamma", "exponent", (0.5, 2.0), 1.0, _bent),
    "contrast": Disturbance("Contrast", "factor, then clipped", (1.5, 2.0), 1.0, _contrasted),
    "turns": Disturbance("Turns", "degrees", (15.0, 45.0, 90.0), 0.0, _turned),
    "low_resolution": Disturbance("Low resolution", "factor of pixel size", (2.0, 3.0), 1.0, _coarse),
    "missing_slices": Disturbance("Missing slices", "number", (1.0, 3.0), 0.0, _incomplete),
    MAGNITUDE: Disturbance("Magnitude", "myocardium nulled, %", (AS_ACQUIRED, 100.0, 125.0), None, _magnitude),
}
