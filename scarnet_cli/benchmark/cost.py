"""The cost of a network per slice: parameters, operations and time, on this machine."""

import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from scarnet_cli.benchmark.systems import require_box
from scarnet_cli.image.volume import Volume
from scarnet_cli.infer.localise import CROP_PIXEL_MM, CROP_SIZE
from scarnet_cli.infer.segment import network_input
from scarnet_cli.model.weights import TrainedNetwork
from scarnet_cli.tables.benchmark import CostMeasures

# Passes the given number of slices through a network.
Pass = Callable[[int], None]

_BATCHES: Final = (1, 2, 4, 8, 16, 32)
_LEAST_RUNS: Final = 3
_LEAST_SECONDS: Final = 1.0
# No larger batch is tried once one takes this long: it would be hardly faster and use more memory.
_MOST_SECONDS_A_BATCH: Final = 2.0


def measure_cost(trained: TrainedNetwork, *, prompted: bool = False) -> CostMeasures:
    """Return the cost of a segmentation network on slices of the crop's size.

    The time is that of the fastest of several passes, because other work on the machine only ever adds to it.

    Args:
        trained: The network.
        prompted: Whether it is prompted by a box (MedSAM, zero-shot), one slice at a time.

    Raises:
        ModelError: The weights are not those of a segmentation network.
    """
    one_pass = _box_pass(trained) if prompted else _crop_pass(trained)
    speeds = _speeds(one_pass, _BATCHES[:1] if prompted else _BATCHES)
    best = max(speeds, key=speeds.__getitem__)
    device = next(trained.network.parameters()).device
    return CostMeasures(
        model_sha256=trained.sha256,
        parameters=sum(p.numel() for p in trained.network.parameters()),
        gflop_per_slice=_gflop(one_pass),
        slices_per_second=speeds[1],
        slices_per_second_best=speeds[best],
        best_batch=best,
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        threads=torch.get_num_threads(),
    )


def _crop_pass(trained: TrainedNetwork) -> Pass:
    blank = Volume(
        np.zeros((1, CROP_SIZE, CROP_SIZE), np.float32), (8.0, CROP_PIXEL_MM, CROP_PIXEL_MM), (0.0, 0.0, 0.0), np.eye(3)
    )
    device = next(trained.network.parameters()).device
    one = torch.from_numpy(network_input(blank, trained)).to(device)

    @torch.inference_mode()
    def run(batch: int) -> None:
        image = one.repeat(batch, 1, 1, 1).contiguous(memory_format=torch.channels_last)
        trained.network(image).cpu()  # waits for a GPU

    return run


def _box_pass(trained: TrainedNetwork) -> Pass:
    network = require_box(trained)
    box = (CROP_SIZE // 4, CROP_SIZE // 2, CROP_SIZE // 4, CROP_SIZE // 2)
    picture = np.zeros((CROP_SIZE, CROP_SIZE), np.float32)

    def run(batch: int) -> None:
        for _ in range(batch):
            network.segment_boxes(picture, [box])

    return run


def _gflop(one_pass: Pass) -> float:
    with FlopCounterMode(display=False) as counter:
        one_pass(1)
    return counter.get_total_flops() / 1e9


def _speeds(one_pass: Pass, batches: Sequence[int]) -> dict[int, float]:
    """Return batch size -> slices per second."""
    speeds: dict[int, float] = {}
    for batch in batches:
        one_pass(batch)  # the first pass at a batch size selects kernels
        seconds = _quickest(one_pass, batch)
        speeds[batch] = batch / seconds
        if seconds > _MOST_SECONDS_A_BATCH:
            break
    return speeds


def _quickest(one_pass: Pass, batch: int) -> float:
    times: list[float] = []
    while len(times) < _LEAST_RUNS or sum(times) < _LEAST_SECONDS:
        start = time.perf_counter()
        one_pass(batch)
        times.append(time.perf_counter() - start)
    return min(times)
