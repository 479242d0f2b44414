"""What a slice costs: parameters, operations and time of a network, on the machine at hand."""

import time
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from scarnet_cli.image.volume import Volume
from scarnet_cli.infer.localise import CROP_PIXEL_MM, CROP_SIZE
from scarnet_cli.infer.segment import network_input
from scarnet_cli.model.weights import TrainedNetwork

_BATCHES: Final = (1, 2, 4, 8, 16, 32)
_LEAST_RUNS: Final = 3
_LEAST_SECONDS: Final = 1.0
# A larger batch is not tried once a batch is so slow, for it would only take memory.
_MOST_SECONDS_A_BATCH: Final = 10.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one pass of the network over one slice, without turns and mirror images.

    Attributes:
        model_sha256: Digest of its weights.
        parameters: Number of trained values.
        gflop_per_slice: Operations in 10^9; a multiplication and an addition are two.
        slices_per_second: Speed at batch 1.
        slices_per_second_best: Speed at the fastest batch size.
        best_batch: That size.
        device: Name of the GPU, or "cpu".
        threads: Threads of the CPU that torch may use.
    """

    model_sha256: str
    parameters: int
    gflop_per_slice: float
    slices_per_second: float
    slices_per_second_best: float
    best_batch: int
    device: str
    threads: int


def measure_cost(trained: TrainedNetwork) -> Cost:
    """Count and time a segmentation network on one slice of the pipeline's crop.

    Time is that of the quickest of several passes: other work on the machine only ever adds to it.

    Raises:
        ModelError: The weights are no segmentation network's.
    """
    blank = Volume(
        np.zeros((1, CROP_SIZE, CROP_SIZE), np.float32), (8.0, CROP_PIXEL_MM, CROP_PIXEL_MM), (0.0, 0.0, 0.0), np.eye(3)
    )
    device = next(trained.network.parameters()).device
    one = torch.from_numpy(network_input(blank, trained)).to(device, memory_format=torch.channels_last)
    speeds = _speeds(trained, one)
    best = max(speeds, key=speeds.__getitem__)
    return Cost(
        model_sha256=trained.sha256,
        parameters=sum(p.numel() for p in trained.network.parameters()),
        gflop_per_slice=_gflop(trained, one),
        slices_per_second=speeds[1],
        slices_per_second_best=speeds[best],
        best_batch=best,
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        threads=torch.get_num_threads(),
    )


@torch.no_grad()
def _gflop(trained: TrainedNetwork, one: Tensor) -> float:
    with FlopCounterMode(display=False) as counter:
        trained.network(one)
    return counter.get_total_flops() / 1e9


@torch.inference_mode()
def _speeds(trained: TrainedNetwork, one: Tensor) -> dict[int, float]:
    """Return batch size -> slices per second."""
    speeds: dict[int, float] = {}
    for batch in _BATCHES:
        seconds = _quickest(trained, one.repeat(batch, 1, 1, 1))
        speeds[batch] = batch / seconds
        if seconds > _MOST_SECONDS_A_BATCH:
            break
    return speeds


def _quickest(trained: TrainedNetwork, image: Tensor) -> float:
    trained.network(image)  # the first pass of a size chooses kernels
    times: list[float] = []
    while len(times) < _LEAST_RUNS or sum(times) < _LEAST_SECONDS:
        start = time.perf_counter()
        trained.network(image).cpu()  # waits for a GPU
        times.append(time.perf_counter() - start)
    return min(times)
