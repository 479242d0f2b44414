"""Running a network over slices in passes of one fixed size."""

import logging
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from scarnet_cli.errors import MachineError
from scarnet_cli.image.intensity import normalise_slices
from scarnet_cli.infer.views import View, mean_over_views
from scarnet_cli.model.weights import TrainedNetwork

logger = logging.getLogger(__name__)

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

    Raises:
        MachineError: A GPU's memory does not hold a single slice.
    """
    device = next(trained.network.parameters()).device
    wanted = device.type == "cuda" if bf16 is None else bf16
    number = SLICES[device.type]
    while True:
        try:
            with torch.autocast(device.type, torch.bfloat16, enabled=wanted):
                return np.concatenate(list(_passes(trained, slices, views, number)))
        except torch.OutOfMemoryError as error:
            if number == 1:
                message = "The GPU's memory does not hold one slice; use one with more, or one that nobody else uses."
                raise MachineError("gpu_memory", message) from error
            number //= 2
            logger.warning("the GPU's memory ran out; %d slices a pass from here", number)
            torch.cuda.empty_cache()


def _passes(
    trained: TrainedNetwork, slices: NDArray[np.float32], views: Sequence[View], number: int
) -> Iterator[NDArray[np.float32]]:
    """Yield the probabilities of `number` slices at a time, the last pass padded."""
    device = next(trained.network.parameters()).device
    for start in range(0, len(slices), number):
        chunk = slices[start : start + number]
        padded = np.zeros((number, *chunk.shape[1:]), np.float32)
        padded[: len(chunk)] = chunk
        probability = mean_over_views(trained.network, torch.from_numpy(padded).to(device), views)
        yield probability[: len(chunk)].cpu().numpy()
