"""Running a network over slices in batches of one fixed size."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scarnet_cli.image.intensity import normalise_slices
from scarnet_cli.model.weights import TrainedNetwork

# One size for all batches, the last one padded: kernels are chosen by shape, so a slice's result does not depend on
# which other studies share its batch.
BATCH: Final = 8


def neighbour_channels(image: NDArray[np.floating], context: int) -> NDArray[np.float32]:
    """Return (z, channels, y, x) normalised slices with `context` neighbours on each side; ends are repeated."""
    normalised = normalise_slices(image)
    last = len(image) - 1
    steps = range(-context, context + 1)
    return np.stack([normalised[np.clip(np.arange(len(image)) + step, 0, last)] for step in steps], axis=1)


@torch.inference_mode()
def class_probabilities(trained: TrainedNetwork, slices: NDArray[np.float32], *, mirrored: bool) -> NDArray[np.float32]:
    """Return (N, classes, y, x) probabilities of (N, channels, y, x) slices.

    Args:
        trained: The network.
        slices: Normalised input.
        mirrored: Average over the four mirror images, for a smoother result at four times the cost.
    """
    device = next(trained.network.parameters()).device
    results = []
    for start in range(0, len(slices), BATCH):
        chunk = slices[start : start + BATCH]
        padded = np.zeros((BATCH, *chunk.shape[1:]), np.float32)
        padded[: len(chunk)] = chunk
        image = torch.from_numpy(padded).to(device, memory_format=torch.channels_last)
        results.append(_mean_over_mirrors(trained, image, mirrored=mirrored)[: len(chunk)].cpu().numpy())
    return np.concatenate(results)


def _mean_over_mirrors(trained: TrainedNetwork, image: Tensor, *, mirrored: bool) -> Tensor:
    mirrors: list[list[int]] = [[], [2], [3], [2, 3]] if mirrored else [[]]
    total = torch.zeros(1, device=image.device)
    for axes in mirrors:
        total = total + torch.softmax(trained.network(image.flip(axes)).float(), dim=1).flip(axes)
    return total / len(mirrors)
