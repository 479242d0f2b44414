"""Running a network over slices, in passes of a fixed size."""

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

# Slices per pass, each in all its views. All passes have the same size, the last one padded: kernels are chosen by
# shape, so a slice's result does not depend on which others share its pass. On a CPU more than one gains nothing.
SLICES: Final = {"cpu": 1, "cuda": 16}


def neighbour_channels(
    image: NDArray[np.floating], context: int, normalised_by: int | None = None
) -> NDArray[np.float32]:
    """Return (z, channels, y, x): each normalised slice with `context` neighbours on each side; end slices repeat.

    Args:
        image: (z, y, x) intensities.
        context: Neighbours on each side.
        normalised_by: Rows and columns in the middle by which a slice is normalised; None: the whole slice.
    """
    normalised = normalise_slices(image, normalised_by)
    last = len(image) - 1
    steps = range(-context, context + 1)
    return np.stack([normalised[np.clip(np.arange(len(image)) + step, 0, last)] for step in steps], axis=1)


@torch.inference_mode()
def class_probabilities(
    trained: TrainedNetwork, slices: NDArray[np.float32], views: Sequence[View], *, bf16: bool | None = None
) -> NDArray[np.float32]:
    """Return the (N, classes, y, x) probabilities of (N, channels, y, x) slices.

    Args:
        trained: The network.
        slices: Normalised input.
        views: How each slice is shown; the result is the mean over all views, and each costs a run of the network.
        bf16: Use bfloat16 where it is precise enough; by default only on a GPU, where it is several times as fast.

    Raises:
        MachineError: The GPU's memory cannot hold a single slice.
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
                message = "The GPU's memory does not hold one slice; use a larger GPU, or one that nobody else uses."
                raise MachineError("gpu_memory", message) from error
            number //= 2
            logger.warning("the GPU's memory ran out; %d slices a pass from here", number)
            torch.cuda.empty_cache()


def _passes(
    trained: TrainedNetwork, slices: NDArray[np.float32], views: Sequence[View], number: int
) -> Iterator[NDArray[np.float32]]:
    """Yield the probabilities of `number` slices at a time; the last pass is padded."""
    device = next(trained.network.parameters()).device
    for start in range(0, len(slices), number):
        chunk = slices[start : start + number]
        padded = np.zeros((number, *chunk.shape[1:]), np.float32)
        padded[: len(chunk)] = chunk
        probability = mean_over_views(trained.network, torch.from_numpy(padded).to(device), views)
        yield probability[: len(chunk)].cpu().numpy()
