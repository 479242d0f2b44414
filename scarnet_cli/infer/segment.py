"""From crops to label maps on the full grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scarnet_cli.errors import ModelError
from scarnet_cli.image.intensity import middle_of
from scarnet_cli.image.labels import Label, region_mask
from scarnet_cli.image.resample import resample_classes
from scarnet_cli.image.volume import Volume
from scarnet_cli.infer.decision import Decision, decide, undecided_labels
from scarnet_cli.infer.evidence import Certainty, Evidence, find_evidence, judge
from scarnet_cli.infer.network import class_probabilities, neighbour_channels
from scarnet_cli.infer.stacks import corrected
from scarnet_cli.infer.views import View, enlarged_once, enlarged_views
from scarnet_cli.model.spec import Task, require_task
from scarnet_cli.model.stack_net import StackedScarNet, StackNet
from scarnet_cli.model.weights import TrainedNetwork

# Views are cut from the middle 134 mm of the crop and show about 112 mm of it, as training windows do: with all 179 mm
# in view the myocardium lost 3 points of Dice on held-out cases.
WINDOW: Final = 96
# Rows and columns in the window's middle by which a slice is normalised: as many as in training.
NORMALISED_BY: Final = 80
# Views for a model with a stack network: as many as were averaged to train that network.
STACK_VIEWS: Final = 2
# Of 80 held-out hearts none is below 0.89, of 90 stacks of noise, photographs and other organs one is above 0.8.
_LEAST_MYOCARDIUM_DICE: Final = 0.75


@dataclass(frozen=True, slots=True)
class Segmentation:
    """A label map with its certainty and flags.

    Attributes:
        labels: (z, y, x) uint8 values of `Label`, on the full grid.
        certainty: How certain it is.
        flags: Codes that tell a reader what to check.
    """

    labels: Volume
    certainty: Certainty
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CropPrediction:
    """Output of a model for one crop.

    Attributes:
        probability: (classes, z, y, x) on the crop's grid.
        evidence: What they say of the study.
    """

    probability: NDArray[np.float32]
    evidence: Evidence


def network_input(crop: Volume, trained: TrainedNetwork) -> NDArray[np.float32]:
    """Return the middle of one crop's slices as the network's (z, channels, WINDOW, WINDOW) input.

    Raises:
        ModelError: The weights are not a segmentation network's, or are not trained.
    """
    require_task(trained.spec, Task.SEGMENT)
    rows, columns = _window(crop)
    return neighbour_channels(crop.array[:, rows, columns], trained.spec.context, NORMALISED_BY)


def segment_crops(crops: list[Volume], trained: TrainedNetwork, *, fast: bool = False) -> list[CropPrediction]:
    """Return the prediction for each crop; the slices of all crops share the network's passes.

    If the model has a stack network too, probabilities are the mean of both networks, which err at different voxels.

    Args:
        crops: The crops, (z, y, x) intensities.
        trained: The segmentation network.
        fast: Show each slice once instead of in several views (see views.py).

    Raises:
        ModelError: The weights are not a segmentation network's, or are not trained.
    """
    inputs = [network_input(crop, trained) for crop in crops]
    if not inputs:
        return []
    stack = trained.network.stack if isinstance(trained.network, StackedScarNet) else None
    views = _views(trained, fast=fast)
    probability = class_probabilities(trained, np.concatenate(inputs), views)
    seen: list[CropPrediction] = []
    for crop, part in zip(crops, np.split(probability, np.cumsum([len(i) for i in inputs])[:-1]), strict=True):
        window = (part if stack is None else _mean_with(stack, crop, part, views)).swapaxes(0, 1)
        evidence = find_evidence(window, None if stack is None else part.swapaxes(0, 1))
        seen.append(CropPrediction(_on_crop(window, crop), evidence))
    return seen


def _views(trained: TrainedNetwork, *, fast: bool) -> tuple[View, ...]:
    """Return the views in which each slice is shown: fewer if there is a stack network, which makes up for the rest."""
    if fast:
        return enlarged_once(trained.spec.zoom)
    views = enlarged_views(trained.spec.zoom)
    return views[:STACK_VIEWS] if isinstance(trained.network, StackedScarNet) else views


def _mean_with(
    stack: StackNet, crop: Volume, probability: NDArray[np.float32], views: Sequence[View]
) -> NDArray[np.float32]:
    """Return the (z, classes, y, x) probabilities of a crop's window, the mean of both networks."""
    signal = crop.array[(slice(None), *_window(crop))]
    return np.float32(0.5) * (probability + corrected(stack, signal, probability, views, NORMALISED_BY))


def _window(crop: Volume) -> tuple[slice, slice]:
    """Return the rows and columns of the crop that the network sees."""
    rows, columns = (middle_of(size, WINDOW) for size in crop.shape_zyx[1:])
    return rows, columns


def _on_crop(window: NDArray[np.float32], crop: Volume) -> NDArray[np.float32]:
    """Return (class, z, y, x) probabilities on the whole crop; outside the window background has probability 1."""
    whole = np.zeros((len(window), *crop.shape_zyx), np.float32)
    whole[Label.BACKGROUND] = 1.0
    whole[(..., *_window(crop))] = window
    return whole


def paste_back(seen: CropPrediction, crop: Volume, image: Volume, decision: Decision) -> Segmentation:
    """Return the segmentation on the full grid of `image`.

    Args:
        seen: The prediction for the crop.
        crop: The crop; only its grid is used.
        image: The full grid; its values are not read.
        decision: The thresholds for scar and MVO.

    Raises:
        ModelError: The network found no myocardium, or hardly believes in it.
    """
    full = resample_classes(seen.probability, crop, image)
    labels = undecided_labels(full, decision.scar_share)
    if not region_mask(labels, "myocardium").any():
        message = "The network found no myocardium in the crop; look at the study's images."
        raise ModelError("heart_not_segmented", message)
    if seen.evidence.myocardium_dice < _LEAST_MYOCARDIUM_DICE:
        message = (
            f"The network is not sure enough that this is a heart ({seen.evidence.myocardium_dice:.2f}, needs "
            f"{_LEAST_MYOCARDIUM_DICE}); check that this is a short-axis LGE stack, or name the right series."
        )
        raise ModelError("heart_not_segmented", message)
    labels, flags = decide(labels, seen.evidence.expected_scar_percent, decision)
    return Segmentation(image.with_array(labels), judge(seen.evidence, labels, image.voxel_ml, decision), flags)
