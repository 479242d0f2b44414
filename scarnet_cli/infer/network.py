"""Running a network over slices in passes of one fixed size."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scarnet_cli.image.intensity import normalise_slices
from scarnet_cli.model.weights import TrainedNetwork

# Slices a pass, each with its mirror images. One size for all passes, the last one padded: kernels are chosen by shape,
# so a slice's result does not depend on which others share its pass. More than one gains nothing on a CPU.
SLICES: Final = {"cpu": 1, "cuda": 16}
# Along rows, columns and both; 0 is the batch, 1 the channels.
_MIRRORS: Final = ((), (2,), (3,), (2, 3))


def neighbour_channels(image: NDArray[np.floating], context: int) -> NDArray[np.float32]:
    """Return (z, channels, y, x) normalised slices with `context` neighbours on each side; ends are repeated."""
    normalised = normalise_slices(image)
    last = len(image) - 1
    steps = range(-context, context + 1)
    return np.stack([normalised[np.clip(np.arange(len(image)) + step, 0, last)] for step in steps], axis=1)


@torch.inference_mode()
def class_probabilities(
    trained: TrainedNetwork, slices: NDArray[np.float32], *, mirrored: bool, bf16: bool | None = None
) -> NDArray[np.float32]:
    """Return (N, classes, y, x) probabilities of (N, channels, y, x) slices.

    Args:
        trained: The network.
        slices: Normalised input.
        mirrored: Average over the four mirror images, for a smoother result at four times the cost.
        bf16: Multiply in bfloat16 where that is precise enough; by default on a GPU, where it is several times as fast.
    """
    device = next(trained.network.parameters()).device
    number, mirrors = SLICES[device.type], _MIRRORS if mirrored else _MIRRORS[:1]
    wanted = device.type == "cuda" if bf16 is None else bf16
    results = []
    for start in range(0, len(slices), number):
        chunk = slices[start : start + number]
        padded = np.zeros((number, *chunk.shape[1:]), np.float32)
        padded[: len(chunk)] = chunk
        image = torch.from_numpy(padded).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=wanted):
            probability = _mean_over_mirrors(trained.network, image, mirrors)
        results.append(probability[: len(chunk)].cpu().numpy())
    return np.concatenate(results)


def _mean_over_mirrors(network: nn.Module, image: Tensor, mirrors: Sequence[tuple[int, ...]]) -> Tensor:
    """Return the mean probabilities of an image's mirror images, which go through the network as one batch."""
    batch = torch.cat([image.flip(axes) for axes in mirrors]).contiguous(memory_format=torch.channels_last)
    probability = torch.softmax(network(batch).float(), dim=1).chunk(len(mirrors))
    turned_back = [part.flip(axes) for part, axes in zip(probability, mirrors, strict=True)]
    return torch.stack(turned_back).mean(dim=0)
