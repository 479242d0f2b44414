"""Locating the left ventricle in a whole stack and cutting the crop round it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scarnet_cli.errors import ModelError
from scarnet_cli.image.components import connected_components
from scarnet_cli.image.intensity import scale_slices
from scarnet_cli.image.resample import in_plane_grid, resample_to, whole_plane_grid
from scarnet_cli.image.volume import Volume
from scarnet_cli.infer.network import class_probabilities, neighbour_channels
from scarnet_cli.infer.views import MIRRORS
from scarnet_cli.model.spec import Task, require_task
from scarnet_cli.model.weights import TrainedNetwork

# The crop is the same for every network: 179 mm hold a left ventricle of 100 mm and allow for an error of 39 mm.
CROP_SIZE: Final = 128
CROP_PIXEL_MM: Final = 1.4
# The lowest confidence of 80 real hearts was 0.31, at the right position; noise reaches 0.41, so low ones are flagged.
_LEAST_CONFIDENCE: Final = 0.25
SURE_CONFIDENCE: Final = 0.5
# Numbers of rows and columns are multiples of this, so that networks can halve them three times.
_MULTIPLE: Final = 8


@dataclass(frozen=True, slots=True)
class HeartCrop:
    """The crop of a stack.

    Attributes:
        image: (z, 128, 128) intensities at 1.4 mm, on the slices of the stack, scaled slice by slice to 0..1.
        confidence: Mean probability of the left ventricle inside its outline, 0..1.
        cut_off: Whether the crop extends beyond the image.
    """

    image: Volume
    confidence: float
    cut_off: bool


def crop_heart(image: Volume, localiser: TrainedNetwork) -> HeartCrop:
    """Return the crop round the left ventricle, at the same in-plane position in all slices.

    Raises:
        ModelError: The weights are not a localiser's, the image is blank, or no heart is found.
    """
    centre, confidence = locate_heart(image, localiser)
    grid = in_plane_grid(image, centre, (CROP_SIZE, CROP_SIZE), CROP_PIXEL_MM)
    inside = resample_to(image.with_array(np.ones(image.shape_zyx, np.float32)), grid, "nearest")
    crop = resample_to(image.with_array(scale_slices(image.array)), grid)
    return HeartCrop(crop, confidence, cut_off=bool((inside.array == 0).any()))


def locate_heart(image: Volume, localiser: TrainedNetwork) -> tuple[tuple[float, float], float]:
    """Return the left ventricle's in-plane centre, (y, x) in mm from the centre of pixel (0, 0), and the confidence.

    Raises:
        ModelError: The weights are not a localiser's, the image is blank, or no heart is found.
    """
    spec = localiser.spec
    require_task(spec, Task.LOCALISE)
    if image.array.min() == image.array.max():
        message = (
            f"Every voxel is {image.array.min()}: a picture without content; convert the study again or leave it out."
        )
        raise ModelError("blank_image", message)
    # A narrow image is padded to the size seen in training, with zero, the lowest value of the scaled slices.
    grid = whole_plane_grid(image, spec.pixel_mm, least=spec.crop, multiple=_MULTIPLE)
    seen = resample_to(image.with_array(scale_slices(image.array)), grid)
    slices = neighbour_channels(seen.array, spec.context)
    heart = class_probabilities(localiser, slices, MIRRORS)[:, 1]
    # All slices of a short-axis stack show the ventricle at about the same position: their mean is surer than any one.
    mean = heart.mean(axis=0)
    region = _most_likely_region(mean)
    confidence = float(mean[region].mean())
    if confidence < _LEAST_CONFIDENCE:
        message = (
            f"No left ventricle was found (confidence {confidence:.2f}, needs {_LEAST_CONFIDENCE}); check that this is "
            "a short-axis LGE stack of the heart, or name the right series."
        )
        raise ModelError("heart_not_found", message)
    rows, columns = (float(np.average(index, weights=mean[region])) for index in np.nonzero(region))
    offset = np.linalg.solve(image.direction, np.array(grid.origin_xyz_mm) - np.array(image.origin_xyz_mm))
    centre = (rows * spec.pixel_mm + offset[1], columns * spec.pixel_mm + offset[0])
    return centre, confidence


def _most_likely_region(probability: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the (y, x) mask of the region above half the maximum that has the largest sum of probability."""
    faces = ndimage.generate_binary_structure(probability.ndim, 1)
    regions, _ = connected_components(probability > probability.max() / 2, faces)
    mass = np.bincount(regions.ravel(), weights=probability.ravel())
    return regions == 1 + int(np.argmax(mass[1:]))
