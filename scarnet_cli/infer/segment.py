"""From crops to label maps on the full grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scarnet_cli.errors import ModelError
from scarnet_cli.image.components import connected_components
from scarnet_cli.image.intensity import middle_of
from scarnet_cli.image.labels import REGIONS, Label, region_mask
from scarnet_cli.image.resample import resample_classes
from scarnet_cli.image.volume import Volume
from scarnet_cli.infer.decision import Decision, ExpectedLesions, decode, drop_lesions
from scarnet_cli.infer.network import class_probabilities, neighbour_channels
from scarnet_cli.infer.stacks import corrected
from scarnet_cli.infer.views import View, enlarged_once, enlarged_views
from scarnet_cli.model.spec import Task, require_task
from scarnet_cli.model.stack_net import StackNet
from scarnet_cli.model.stacked import StackedScarNet
from scarnet_cli.model.weights import TrainedNetwork

# Views are cut from the middle 134 mm of the crop and show about 112 mm of it, as windows in training do: with all
# 179 mm in view a network's myocardium lost 3 points of Dice on held-out cases.
WINDOW: Final = 96
# Rows and columns in the middle of it whose signal counts as that of the slice: as many as it was trained on.
NORMALISED_BY: Final = 80
# Views of a model that has a stack network: so many were averaged where it was trained.
STACK_VIEWS: Final = 2
# Which part of the myocardium is scar does not matter where its outline alone is asked for.
_ANY_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Segmentation:
    """A label map with what is known about its worth.

    Attributes:
        labels: (z, y, x) uint8 values of `Label`, on the full grid.
        confidence: Mean probability of myocardium (scar and MVO with it) over the voxels labelled so, 0..1.
        flags: Codes of what a reader should look at.
    """

    labels: Volume
    confidence: float
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CropPrediction:
    """What a network sees in one crop.

    Attributes:
        probability: (classes, z, y, x) on the crop's grid.
        expected: How much scar and MVO to expect.
    """

    probability: NDArray[np.float32]
    expected: ExpectedLesions


def network_input(crop: Volume, trained: TrainedNetwork) -> NDArray[np.float32]:
    """Return the middle of one crop's slices as the network's (z, channels, WINDOW, WINDOW) input.

    Raises:
        ModelError: The weights are no segmentation network's, or are not trained.
    """
    require_task(trained.spec, Task.SEGMENT)
    rows, columns = _window(crop)
    return neighbour_channels(crop.array[:, rows, columns], trained.spec.context, NORMALISED_BY)


def segment_crops(crops: list[Volume], trained: TrainedNetwork, *, fast: bool = False) -> list[CropPrediction]:
    """Return what the network sees in each crop; the slices of all crops share the network's passes.

    Where tissue is, a model that has a stack network too says by the mean of both: they err in different places.
    Whether there is any scar the slice network says alone: the stack network makes a little as certain as much.

    Args:
        crops: The crops.
        trained: The segmentation network.
        fast: Look at each slice once instead of in several views (see views.py).

    Raises:
        ModelError: The weights are no segmentation network's, or are not trained.
    """
    inputs = [network_input(crop, trained) for crop in crops]
    if not inputs:
        return []
    stack = trained.network.stack if isinstance(trained.network, StackedScarNet) else None
    views = _views(trained, fast=fast)
    probability = class_probabilities(trained, np.concatenate(inputs), views)
    seen: list[CropPrediction] = []
    for crop, part in zip(crops, np.split(probability, np.cumsum([len(i) for i in inputs])[:-1]), strict=True):
        whole = part if stack is None else _mean_with(stack, crop, part, views)
        seen.append(CropPrediction(_on_crop(whole.swapaxes(0, 1), crop), expected_lesions(part.swapaxes(0, 1))))
    return seen


def expected_lesions(probability: NDArray[np.float32]) -> ExpectedLesions:
    """Return how much scar and MVO (class, z, y, x) probabilities let expect."""
    labels = undecided_labels(probability, _ANY_SHARE)
    wall = region_mask(labels, "myocardium")
    if not wall.any():
        return ExpectedLesions(0.0, 0.0)
    whole = probability[list(REGIONS["myocardium"])].sum(axis=0)[wall]
    scar, mvo = (probability[list(REGIONS[region])].sum(axis=0)[wall] for region in ("scar", "mvo"))
    return ExpectedLesions(100.0 * float((scar / whole).mean()), 100.0 * float((mvo / whole).mean()))


def _views(trained: TrainedNetwork, *, fast: bool) -> tuple[View, ...]:
    """Return how each slice is looked at: a stack network makes up for most of the views."""
    if fast:
        return enlarged_once(trained.spec.zoom)
    views = enlarged_views(trained.spec.zoom)
    return views[:STACK_VIEWS] if isinstance(trained.network, StackedScarNet) else views


def _mean_with(
    stack: StackNet, crop: Volume, probability: NDArray[np.float32], views: Sequence[View]
) -> NDArray[np.float32]:
    """Return (z, classes, y, x) probabilities of a crop's window: the mean of what both networks say."""
    signal = crop.array[(slice(None), *_window(crop))]
    return np.float32(0.5) * (probability + corrected(stack, signal, probability, views, NORMALISED_BY))


def _window(crop: Volume) -> tuple[slice, slice]:
    """Return the rows and columns of the crop that the network sees."""
    rows, columns = (middle_of(size, WINDOW) for size in crop.shape_zyx[1:])
    return rows, columns


def _on_crop(window: NDArray[np.float32], crop: Volume) -> NDArray[np.float32]:
    """Return (class, z, y, x) probabilities on the whole crop; outside the window background is certain."""
    whole = np.zeros((len(window), *crop.shape_zyx), np.float32)
    whole[Label.BACKGROUND] = 1.0
    whole[(..., *_window(crop))] = window
    return whole


def paste_back(seen: CropPrediction, crop: Volume, image: Volume, decision: Decision) -> Segmentation:
    """Return the label map on the full grid of `image`.

    Args:
        seen: What the network saw in the crop.
        crop: The crop.
        image: The full grid; its values are not read.
        decision: When scar counts as scar.

    Raises:
        ModelError: No myocardium is left.
    """
    full = resample_classes(seen.probability, crop, image)
    labels = undecided_labels(full, decision.scar_share)
    myocardium = region_mask(labels, "myocardium")
    if not myocardium.any():
        raise ModelError(
            "heart_not_segmented", "The network found no myocardium in the crop; look at the study's images."
        )
    labels, flags = drop_lesions(labels, seen.expected, decision)
    confidence = float(full[list(REGIONS["myocardium"])].sum(axis=0)[myocardium].mean())
    return Segmentation(image.with_array(labels), round(confidence, 4), flags)


def undecided_labels(probability: NDArray[np.float32], scar_share: float) -> NDArray[np.uint8]:
    """Return the labels of one ventricle, before faint scar is dropped: decoded, and only the largest piece kept."""
    labels = decode(probability, scar_share)
    labels[~largest_component(labels != Label.BACKGROUND)] = Label.BACKGROUND
    return labels


def largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest piece of a (z, y, x) mask; neighbours share a face, or touch at all between slices."""
    structure = np.stack([np.ones((3, 3), bool), ndimage.generate_binary_structure(2, 1), np.ones((3, 3), bool)])
    if not mask.any():
        return mask
    pieces, _ = connected_components(mask, structure)
    return pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
