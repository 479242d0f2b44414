"""Running a network over slices in passes of one fixed size."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from scarnet_cli.image.intensity import normalise_slices
from scarnet_cli.infer.views import View, mean_over_views
from scarnet_cli.model.weights import TrainedNetwork

# Slices a pass, each in all its views. One size for all passes, the last one padded: kernels are chosen by shape,
# so a slice's result does not depend on which others share its pass. More than one gains nothing on a CPU.
SLICES: Final = {"cpu": 1, "cuda": 16}


def neighbour_channels(
    image: NDArray[np.floating], context: int, normalised_by: int | None = None
) -> NDArray[np.float32]:
    """Return (z, channels, y, x) slices, each with `context` neighbours on each side; ends are repeated.

    They are normalised by all of the slice, or by so many rows and columns in its middle.
    """
    normalised = normalise_slices(image, normalised_by)
    last = len(image) - 1
    steps = range(-context, context + 1)
    return np.stack([normalised[np.clip(np.arange(len(image)) + step, 0, last)] for step in steps], axis=1)


@torch.inference_mode()
def class_probabilities(
    trained: TrainedNetwork, slices: NDArray[np.float32], views: Sequence[View], *, bf16: bool | None = None
) -> NDArray[np.float32]:
    """Return (N, classes, y, x) probabilities of (N, channels, y, x) slices.

    Args:
        trained: The network.
        slices: Normalised input.
        views: How each slice is shown; the result is the mean over all, at the cost of each.
        bf16: Multiply in bfloat16 where that is precise enough; by default on a GPU, where it is several times as fast.
    """
    device = next(trained.network.parameters()).device
    number = SLICES[device.type]
    wanted = device.type == "cuda" if bf16 is None else bf16
    results = []
    for start in range(0, len(slices), number):
        chunk = slices[start : start + number]
        padded = np.zeros((number, *chunk.shape[1:]), np.float32)
        padded[: len(chunk)] = chunk
        image = torch.from_numpy(padded).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=wanted):
            probability = mean_over_views(trained.network, image, views)
        results.append(probability[: len(chunk)].cpu().numpy())
    return np.concatenate(results)
