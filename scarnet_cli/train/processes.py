"""One training in several processes, one per GPU, as `torchrun` starts them, or in this process alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from scarnet_cli.model.weights import best_device


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a training: its device, its rank and the number of processes."""

    device: str = "cpu"
    rank: int = 0
    world: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the first process, the only one that writes and reports."""
        return self.rank == 0

    def spread(self, network: nn.Module) -> nn.Module:
        """Return the network to call in training, whose gradients are averaged over all processes."""
        # A frozen or bypassed part has no gradient, and the other processes must not wait for one.
        return DistributedDataParallel(network, find_unused_parameters=True) if self.world > 1 else network

    def mean(self, value: Tensor) -> float:
        """Return the mean of a single value over all processes."""
        if self.world > 1:
            distributed.all_reduce(value)
        return value.item() / self.world


def multiplies_bf16_fast(device_type: str) -> bool:
    """Tell whether a device has bf16 instructions: every GPU, and a CPU with AMX or AVX512-BF16.

    A CPU without them emulates bf16, at a ninth of the speed of fp32.
    """
    # Older releases of torch do not report the CPU's capabilities; they train in fp32.
    has = getattr(torch.cpu, "get_capabilities", dict)()
    return device_type != "cpu" or has.get("amx_bf16", False) or has.get("avx512_bf16", False)


@contextmanager
def join_processes() -> Iterator[Process]:
    """Yield this process: one of several if `torchrun` started it, else a single one on the best device."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Process(best_device())
        return
    gpu = torch.cuda.is_available()
    distributed.init_process_group("nccl" if gpu else "gloo")
    try:
        device = f"cuda:{os.environ['LOCAL_RANK']}" if gpu else "cpu"
        yield Process(device, distributed.get_rank(), world)
        distributed.barrier()  # no process leaves while another is still working
    finally:
        distributed.destroy_process_group()
